// Whole clusters: without faults, the same run twice, and what a report carries between processes.
#include <doctest/doctest.h>

#include "tests/simulation/campaign.hpp"
#include "tests/simulation/command_line.hpp"

using namespace dim;
using namespace dim::simulation;

namespace {

planned_run calm_run() {
  planned_run run;
  run.plan.nodes = 5;
  run.plan.seed = 3;
  run.plan.load.jobs = 40;
  run.plan.load.patterns = {"single", "replicated", "comparative", "chained", "collaborative"};
  return run;
}

}  // namespace

TEST_CASE("without faults every job of every pattern completes, and nothing is left behind") {
  auto run = calm_run();
  run.plan.load.cancelled = 0.0;
  auto report = run_apart(run, {});
  INFO(to_json(report));
  CHECK(report.violations.empty());
  CHECK(report.paths["job_completed"] == 40);
  CHECK(report.checked["baselines_are_restored"] > 10);
}

TEST_CASE("two processes make the same run of one seed, and the hash says so") {
  for (std::uint64_t seed : {1, 2, 3}) {
    auto run = run_of_seed(seed, {3, 6, 20, 60'000});
    auto one = run_apart(run, {});
    auto other = run_apart(run, {});
    INFO("seed " << seed);
    CHECK(one.hash == other.hash);
    CHECK(one.steps == other.steps);
    CHECK(one.paths == other.paths);
    run.plan.seed += 100;
    CHECK(run_apart(run, {}).hash != one.hash);
  }
}

TEST_CASE("a report survives the way through text, and a text that is none is a violation") {
  auto report = run_apart(calm_run(), {});
  CHECK(report_from_json(to_json(report)) == report);
  REQUIRE(report_from_json("no JSON").violations.size() == 1);
  CHECK(report_from_json("").violations[0].invariant == "the_run_ends");
}

TEST_CASE("runs are reported in the order of their start, whoever is over first") {
  std::uint64_t next = 1;
  std::vector<std::uint64_t> reported;
  run_campaign(
    [&]() -> std::optional<planned_run> {
      if (next > 4)
        return std::nullopt;
      auto run = calm_run();
      run.plan.load.jobs = next == 1 ? 40 : 2;
      run.plan.seed = next++;
      return run;
    },
    {},
    [&](const planned_run&, const seed_report& report) {
      reported.push_back(report.seed);
      return true;
    });
  CHECK(reported == std::vector<std::uint64_t>{1, 2, 3, 4});
}

TEST_CASE("seeds are a number or a range, and nothing else") {
  CHECK(read_seeds("7") == std::pair<std::uint64_t, std::uint64_t>{7, 7});
  CHECK(read_seeds("1..500") == std::pair<std::uint64_t, std::uint64_t>{1, 500});
  for (auto wrong : {"", "x", "5..1", "1..", "..3", "1...3", "-1"})
    CHECK_MESSAGE(!read_seeds(wrong), std::string{wrong});
}
