#pragma once

#include <memory>
#include <string>

#include <caf/fwd.hpp>

/// What every process shows of itself: memory, processor time, open files, and its actors.
namespace dim::runtime {

/// Adds these to `metrics_text` under the label `process` = `name` while the handle lives, which is
/// shorter than `system` does. Actors are summed up by name.
std::shared_ptr<void> show_process(const std::string& name, caf::actor_system& system);

}  // namespace dim::runtime
