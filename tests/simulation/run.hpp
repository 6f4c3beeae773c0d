#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "tests/simulation/hooks.hpp"
#include "tests/simulation/network.hpp"
#include "tools/scenario/history.hpp"
#include "tools/scenario/invariants.hpp"
#include "tools/scenario/scenario.hpp"

namespace dim::simulation {

struct run_options {
  link_quality quality;
  /// Every step is written there; null: nowhere.
  std::ostream* trace = nullptr;
  /// A planted bug; null: none.
  world_hooks* hooks = nullptr;
  /// Where the run keeps its files while it lasts; empty: a folder in memory where there is one.
  std::filesystem::path folder;
};

/// What came of one run.
struct outcome {
  scenario::history seen;
  /// What was found broken, the first first; empty for a good run.
  std::vector<scenario::violation> violations;
  /// How many things each promise was checked on.
  std::vector<scenario::verdict> verdicts;
  std::uint64_t hash = 0;
  std::uint64_t steps = 0;
  std::uint64_t packets = 0;
  std::int64_t virtual_ms = 0;
};

/// Runs a scenario on a new cluster, from its start until all faults are over, every job has ended,
/// every node is back and everything is quiet again; then checks the history. The same scenario and
/// options give the same outcome, hash included. It ends early when a promise is seen broken.
outcome run_scenario(const scenario::scenario& plan, const run_options& options);

}  // namespace dim::simulation
