#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "tests/simulation/campaign.hpp"

namespace dim::simulation {

/// Whether a run still shows the violation that is looked for.
using still_fails = std::function<bool(const planned_run&)>;

/// A smaller run that still fails: fewer faults, then fewer nodes and jobs, then a shorter time, as
/// long as any of it can be taken away; at most `runs_max` runs are tried.
planned_run shrink(planned_run failing, const still_fails& fails, std::uint32_t runs_max = 200);

}  // namespace dim::simulation
