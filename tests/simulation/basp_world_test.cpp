#include "tests/simulation/basp_world.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <doctest/doctest.h>

#include "runtime/child_run.hpp"

using namespace dim;
using namespace dim::simulation;

namespace {

constexpr std::uint64_t seeds = 150;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string hash_text(std::uint64_t hash) {
  char text[32];
  std::snprintf(text, sizeof(text), "hash %016llx.", static_cast<unsigned long long>(hash));
  return text;
}

scenario::fault fault_of(scenario::fault_action action, const std::string& target,
                         std::int64_t from_ms, std::int64_t lasts_ms) {
  scenario::fault result;
  result.action = action;
  result.target = target;
  result.from_ms = from_ms;
  result.lasts_ms = lasts_ms;
  return result;
}

scenario::scenario quiet_plan() {
  auto plan = basp_scenario(1);
  plan.nodes = 3;
  plan.faults.clear();
  return plan;
}

std::uint64_t path(const outcome& result, const std::string& name) {
  const auto found = result.seen.paths.find(name);
  return found == result.seen.paths.end() ? 0 : found->second;
}

}  // namespace

TEST_CASE("over real links, every promise is kept under every fault, whatever the seed") {
  const auto first = number_from("DIM_SEED", 1);
  const auto count = number_from("DIM_SEEDS", seeds);
  std::map<std::string, std::uint64_t> paths;
  std::map<std::string, std::uint64_t> faults;
  for (auto seed = first; seed < first + count; ++seed) {
    CAPTURE(seed);
    const auto result = run_basp_seed(basp_scenario(seed));
    for (const auto& each : result.violations)
      CHECK_MESSAGE(false, each.invariant << ": " << each.detail);
    CHECK(result.seen.jobs.size() > 0);
    for (const auto& [name, times] : result.seen.paths)
      paths[name] += times;
    for (const auto& [name, times] : result.seen.faults)
      faults[name] += times;
  }
  for (const auto* name : {"kill", "stop", "drop", "partition", "fill_disk", "clock_skew", "delay",
                           "slow", "wrong_result", "out_of_memory"})
    CHECK_MESSAGE(faults[name] > 0, name << " never struck");
  for (const auto* name : {"event_node_joined", "event_node_lost", "event_execution_lost",
                           "event_reputation_changed", "wire_truncated", "dial_refused",
                           "write_refused"})
    CHECK_MESSAGE(paths[name] > 0, name << " never happened");
}

TEST_CASE("a seed gives the same run in another process, with other process and node ids") {
  const auto result = run_basp_seed(basp_scenario(7));
  const auto text = hash_text(result.hash);
  CHECK(result.steps > 1'000);
  if (std::getenv("DIM_TELL_HASH") != nullptr) {
    std::fputs(text.c_str(), stderr);
    return;
  }
  ::setenv("DIM_TELL_HASH", "1", 1);
  const auto child = runtime::run_to_end(
    {"/proc/self/exe", {"-tc=a seed gives the same run*"}, std::chrono::seconds{120}});
  REQUIRE(child);
  CHECK(child->succeeded());
  CHECK(child->error_text.find(text) != std::string::npos);
  CHECK(hash_text(run_basp_seed(basp_scenario(8)).hash) != text);
}

TEST_CASE("without faults every job completes and nobody is lost") {
  const auto result = run_basp_seed(quiet_plan());
  CHECK(result.violations.empty());
  CHECK(path(result, "event_node_lost") == 0);
  CHECK(path(result, "event_node_joined") == 3);
  for (const auto& job : result.seen.jobs)
    CHECK((job.state == "completed" || job.state == "cancelled"));
}

TEST_CASE("a node that is cut off silently is lost after ten seconds, and joins again by itself") {
  auto plan = quiet_plan();
  plan.faults = {fault_of(scenario::fault_action::partition, "node/n2", 5'000, 15'000)};
  const auto result = run_basp_seed(plan);
  CHECK(result.violations.empty());
  std::int64_t lost_ms = 0;
  std::int64_t joined_ms = 0;
  for (const auto& event : result.seen.events) {
    if (event.kind == "node_lost" && event.node_id == "n2")
      lost_ms = event.at_ms;
    if (event.kind == "node_joined" && event.node_id == "n2")
      joined_ms = event.at_ms;
  }
  // Within the lost time plus two seconds; then within two of its own back-offs.
  CHECK(lost_ms > 5'000 + 9'000);
  CHECK(lost_ms < 5'000 + 12'000);
  CHECK(joined_ms > 20'000);
  CHECK(joined_ms < 32'000);
}

TEST_CASE("flipped bits on the wire end connections at worst, and the cluster heals") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    auto plan = quiet_plan();
    plan.seed = seed;
    plan.settle_ms = 100'000;
    auto noise = fault_of(scenario::fault_action::corrupt, "*", 4'000, 0);
    noise.until_ms = 25'000;
    noise.probability = 0.02;
    plan.faults = {noise};
    const auto result = run_basp_seed(plan);
    CHECK(path(result, "wire_corrupted") > 0);
    // Clients may have been told of jobs that never were; what is stored must have ended, once.
    for (const auto& job : result.seen.jobs)
      CHECK_MESSAGE((job.state == "completed" || job.state == "failed"
                     || job.state == "cancelled"),
                    job.id << " is " << job.state);
    for (const auto& each : result.violations)
      CHECK_MESSAGE(each.invariant != "nodes_are_members", each.detail);
  }
}
