// `dim fault run` as users run it, against real daemons.
#include "tests/faults/fault_command.hpp"
#include "tests/cluster/local_cluster.hpp"

using namespace dim::tests;
using namespace std::chrono_literals;

namespace {

constexpr const char* harmless_plan = R"(
name = "one drop"
duration = "2s"
settle = "20s"
[workload]
jobs = 5
rate = 10.0
patterns = ["single"]
[[fault]]
action = "drop"
target = "node/*"
probability = 0.0
)";

constexpr const char* node_plan = R"(
name = "killed and lying nodes"
duration = "8s"
settle = "60s"
[workload]
jobs = 40
rate = 8.0
resubmitted = 0.2
[[fault]]
action = "kill"
target = "node/*"
from = "2s"
lasts = "500ms"
[[fault]]
action = "wrong_result"
target = "node/node-1"
probability = 0.5
[[fault]]
action = "kill"
target = "agent/*"
from = "5s"
[[fault]]
action = "duplicate"
target = "node/*"
messages = ["execution_finished", "run_execution"]
probability = 0.5
)";

constexpr const char* orchestrator_plan = R"(
name = "full disk and killed orchestrator"
duration = "8s"
settle = "60s"
[workload]
jobs = 40
rate = 8.0
patterns = ["single", "chained"]
resubmitted = 0.3
[[fault]]
action = "fill_disk"
target = "orchestrator"
from = "1s"
lasts = "1s"
[[fault]]
action = "kill"
target = "orchestrator"
from = "4s"
lasts = "300ms"
)";

}  // namespace

TEST_CASE("a cluster without [faults] refuses to be hurt, and runs the workload alone") {
  local_cluster cluster{1};
  cluster.push_samples({"digits-mlp"});
  CHECK(cluster.post("/api/v1/faults", {{"action", "kill"}, {"target", "*"}}).status == 403);
  CHECK(cluster.get("/api/v1/faults").status == 403);
  fault_command command;
  const auto url = "http://127.0.0.1:" + std::to_string(cluster.port());
  const auto plan = command.write_plan(harmless_plan);
  command.run({plan.string(), "--url", url}, 60s);
  INFO(command.said());
  CHECK(command.status == 1);
  CHECK(command.said().find("[faults] enabled = true") != std::string::npos);
  command.run({plan.string(), "--url", url, "--workload-only"}, 120s);
  INFO(command.said());
  CHECK(command.status == 0);
  CHECK(command.report()["jobs"]["completed"] == 5);
}

TEST_CASE("nodes and agents that are killed, lie and are told everything twice break no promise") {
  fault_command command;
  command.run_locally(command.write_plan(node_plan), 240s);
  INFO(command.said());
  CHECK(command.status == 0);
  const auto report = command.report();
  CHECK(report["faults"]["kill"].get<int>() == 2);
  CHECK(report["faults"].value("duplicate", 0) > 0);
  CHECK(report["acknowledged"].get<int>() >= 40);
}

TEST_CASE("a full disk and a killed orchestrator lose no acknowledged job") {
  fault_command command;
  command.run_locally(command.write_plan(orchestrator_plan), 240s);
  INFO(command.said());
  CHECK(command.status == 0);
  CHECK(command.report()["faults"]["fill_disk"] == 1);
  CHECK(command.report()["faults"]["kill"] == 1);
}

TEST_CASE("a plan with problems is refused with the line of each") {
  fault_command command;
  command.run({command.write_plan("name = \"x\"\nseeed = 1\n").string()}, 20s);
  CHECK(command.status == 2);
  CHECK(command.said().find("line 2: unknown member seeed; did you mean seed?")
        != std::string::npos);
}
