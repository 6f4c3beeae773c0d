#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/simulation/generator.hpp"
#include "tests/simulation/seed_report.hpp"

namespace dim::simulation {

/// One run of a campaign.
struct planned_run {
  scenario::scenario plan;
  link_quality quality;
};

/// The run of a seed with generated faults.
planned_run run_of_seed(std::uint64_t seed, const generator_limits& limits);

/// Makes the planted bug of a run, in the process of the run; null: none.
using hooks_factory = std::function<std::unique_ptr<world_hooks>()>;

/// Does a run, in the process of the run.
using run_function = std::function<outcome(const planned_run&, const run_options&)>;

struct campaign_options {
  /// Processes at the same time.
  std::uint32_t parallel = 2;
  /// Real time after which a run is killed, in milliseconds.
  std::int64_t time_max_ms = 120'000;
  hooks_factory hooks;
  /// Empty: `run_scenario`.
  run_function run;
};

/// Runs each in a process of its own, so that a crash ends that one alone, and reports each as soon
/// as it is over. `next` gives the runs, in order, until it gives nothing; false from `done` ends
/// the campaign.
void run_campaign(const std::function<std::optional<planned_run>()>& next,
                  const campaign_options& options,
                  const std::function<bool(const planned_run&, const seed_report&)>& done);

/// One run in a process of its own.
seed_report run_apart(const planned_run& run, const campaign_options& options);

}  // namespace dim::simulation
