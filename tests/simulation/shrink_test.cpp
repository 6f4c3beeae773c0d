#include "tests/simulation/shrink.hpp"

#include <algorithm>

#include <doctest/doctest.h>

using namespace dim;
using namespace dim::simulation;

namespace {

/// Some generated run with at least one fault of this action.
planned_run run_with(scenario::fault_action action) {
  for (std::uint64_t seed = 1;; ++seed) {
    auto run = run_of_seed(seed, {});
    auto& faults = run.plan.faults;
    auto has = std::any_of(faults.begin(), faults.end(),
                           [&](const scenario::fault& one) { return one.action == action; });
    if (has && faults.size() > 3)
      return run;
  }
}

}  // namespace

TEST_CASE("shrinking leaves only what the violation needs") {
  auto failing = run_with(scenario::fault_action::partition);
  auto needs = [](const planned_run& run) {
    auto& faults = run.plan.faults;
    return run.plan.nodes >= 3 && run.plan.load.jobs >= 7
           && std::any_of(faults.begin(), faults.end(), [](const scenario::fault& one) {
                return one.action == scenario::fault_action::partition;
              });
  };
  auto smaller = shrink(failing, needs, 1'000);
  CHECK(smaller.plan.faults.size() == 1);
  CHECK(smaller.plan.nodes == 3);
  CHECK(smaller.plan.load.jobs == 7);
  CHECK(smaller.plan.duration_ms == 1'000);
  CHECK(smaller.plan.seed == failing.plan.seed);
}

TEST_CASE("shrinking tries no more runs than it may") {
  std::uint32_t tried = 0;
  auto failing = run_with(scenario::fault_action::kill);
  auto smaller = shrink(failing, [&](const planned_run&) { return ++tried, false; }, 20);
  CHECK(tried == 20);
  CHECK(smaller.plan == failing.plan);
}

TEST_CASE("a plan that was shrunk reads back from its text") {
  auto smaller = shrink(run_with(scenario::fault_action::stop),
                        [](const planned_run& run) { return !run.plan.faults.empty(); }, 1'000);
  auto read = scenario::read_scenario(scenario::write_scenario(smaller.plan));
  REQUIRE(read.has_value());
  CHECK(read->faults == smaller.plan.faults);
}
