#include "tests/simulation/planted_bugs.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>

#include <doctest/doctest.h>

using namespace dim;
using namespace dim::simulation;

namespace {

constexpr std::uint64_t seeds_max = 500;

/// Small clusters: a bug that needs more to show itself would not be found by hand either.
generator_limits small_limits() {
  generator_limits limits;
  limits.nodes_min = 5;
  limits.nodes_max = 8;
  limits.jobs = 40;
  limits.duration_ms = 120'000;
  return limits;
}

bool is_found(const planted_bug& bug, const seed_report& report) {
  return std::any_of(report.violations.begin(), report.violations.end(), [&](const auto& one) {
    return std::count(bug.found_as.begin(), bug.found_as.end(), one.invariant) > 0;
  });
}

/// The first seed whose run breaks one of the promises that the bug is to break.
std::optional<seed_report> hunt(const planted_bug& bug) {
  std::optional<seed_report> found;
  std::uint64_t seed = 1;
  campaign_options options;
  options.hooks = bug.make;
  run_campaign(
    [&]() -> std::optional<planned_run> {
      if (found || seed > seeds_max)
        return std::nullopt;
      return run_of_seed(seed++, small_limits());
    },
    options,
    [&](const planned_run&, const seed_report& report) {
      if (!found && is_found(bug, report))
        found = report;
      return !found;
    });
  return found;
}

}  // namespace

TEST_CASE("the checker finds every planted bug, and nothing in the same run without it") {
  const char* only = std::getenv("DIM_BUG");
  for (const auto& bug : planted_bugs()) {
    if (only != nullptr && bug.name != only)
      continue;
    CAPTURE(bug.name);
    const auto found = hunt(bug);
    CHECK_MESSAGE(found, "not found within " << seeds_max << " seeds");
    if (!found)
      continue;
    std::cout << bug.name << ": seed " << found->seed << ", "
              << found->violations.front().invariant << ": "
              << found->violations.front().detail << std::endl;
    const auto sound = run_apart(run_of_seed(found->seed, small_limits()), {});
    for (const auto& each : sound.violations)
      CHECK_MESSAGE(false, "also without it: " << each.invariant << ": " << each.detail);
    CHECK(sound.jobs > 0);
  }
}

TEST_CASE("there are at least eight planted bugs, each with a name of its own") {
  const auto& bugs = planted_bugs();
  CHECK(bugs.size() >= 8);
  for (const auto& bug : bugs) {
    CHECK(find_bug(bug.name) == &bug);
    CHECK_FALSE(bug.found_as.empty());
    CHECK(bug.make() != nullptr);
  }
  CHECK(find_bug("none of them") == nullptr);
}
