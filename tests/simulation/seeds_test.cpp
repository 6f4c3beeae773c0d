// 500 seeds: clusters of 10 to 20 nodes, 100 jobs, ten virtual minutes of faults each.
#include <chrono>
#include <iostream>

#include <doctest/doctest.h>

#include "tests/simulation/campaign.hpp"
#include "tests/simulation/coverage.hpp"

using namespace dim::simulation;

TEST_CASE("every promise is kept on 500 seeds, and every rare path runs") {
  constexpr std::uint64_t seeds = 500;
  auto begin = std::chrono::steady_clock::now();
  campaign_totals totals;
  std::uint64_t next = 1;
  run_campaign(
    [&]() -> std::optional<planned_run> {
      if (next > seeds)
        return std::nullopt;
      return run_of_seed(next++, {});
    },
    {},
    [&](const planned_run&, const seed_report& report) {
      totals.add(report);
      for (auto& one : report.violations)
        FAIL_CHECK("again with: dim-sim --seeds " << report.seed << " --nodes 20 --trace\n"
                                                  << one.invariant << ": " << one.detail);
      return true;
    });
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::cout << totals.runs << " seeds, " << totals.steps << " steps, "
            << totals.virtual_ms / 3'600'000 << " virtual hours, " << took.count() << " s"
            << std::endl;
  CHECK(totals.runs == seeds);
  for (auto& path : totals.missed())
    FAIL_CHECK("never ran: " << path.name << " (" << path.meaning << ")");
}
