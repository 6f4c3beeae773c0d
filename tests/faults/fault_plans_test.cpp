// Every plan that is shipped, one after the other.
#include <algorithm>

#include "tests/faults/fault_command.hpp"

using namespace dim::tests;
using namespace std::chrono_literals;

TEST_CASE("every shipped plan strikes its faults, and no promise is broken") {
  std::vector<std::filesystem::path> plans;
  for (const auto& entry :
       std::filesystem::directory_iterator{DIM_SOURCE_DIR "/tests/faults/plans"})
    plans.push_back(entry.path());
  std::sort(plans.begin(), plans.end());
  REQUIRE(plans.size() == 10);
  for (const auto& plan : plans) {
    fault_command command;
    command.run_locally(plan, 400s);
    INFO(plan.string() << "\n" << command.said());
    CHECK(command.status == 0);
    CHECK_FALSE(command.report()["faults"].empty());
  }
}
