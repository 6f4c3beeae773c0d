#include "tests/simulation/basp_world.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include <doctest/doctest.h>

using namespace dim;
using namespace dim::simulation;

namespace {

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace

TEST_CASE("seeds of a cluster over real links keep every promise") {
  const auto first = number_from("DIM_SEED", 1);
  const auto count = number_from("DIM_SEEDS", 20);
  std::ofstream trace;
  if (const char* file = std::getenv("DIM_TRACE"))
    trace.open(file);
  for (auto seed = first; seed < first + count; ++seed) {
    CAPTURE(seed);
    auto result = run_basp_seed(basp_scenario(seed), trace.is_open() ? &trace : nullptr);
    for (auto& each : result.violations)
      CHECK_MESSAGE(false, each.invariant << ": " << each.detail);
    if (count <= 20)
      std::cout << "seed " << seed << " hash " << std::hex << result.hash << std::dec << " steps "
                << result.steps << " ms " << result.virtual_ms << " jobs "
                << result.seen.jobs.size() << " events " << result.seen.events.size()
                << " completed "
                << std::count_if(result.seen.jobs.begin(), result.seen.jobs.end(),
                                 [](auto& job) { return job.state == "completed"; })
                << "\n";
    if (std::getenv("DIM_VERBOSE") != nullptr) {
      for (auto& job : result.seen.jobs)
        std::cout << job.id << " " << job.pattern << " " << job.state << " " << job.error_code
                  << "\n";
      for (auto& event : result.seen.events)
        std::cout << event.number << " " << event.at_ms << " " << event.kind << " "
                  << event.job_id << " " << event.execution_id << " " << event.node_id << " "
                  << event.detail << "\n";
    }
    CHECK(result.seen.jobs.size() > 0);
  }
}
