#pragma once

#include <caf/fwd.hpp>

namespace dim::actors {

/// Makes every message of the actors known to a system that is about to start. Compiled once: what
/// `add_message_types` instantiates for all of them takes as long as many a test.
void add_message_types(caf::actor_system_config& config);

}  // namespace dim::actors
