// Processes that die: nodes, the orchestrator, and both with work in hand.
#include <doctest/doctest.h>

#include <csignal>

#include "tests/cluster/local_cluster.hpp"

using namespace dim;
using nlohmann::json;
using tests::local_cluster;

namespace {

json small_job() {
  return {{"pattern", "single"},
          {"model", "digits-mlp"},
          {"inputs", json::array({tests::digit_input(tests::sample_digits().front().pixels)})}};
}

}  // namespace

TEST_CASE("a killed node's work is done by others, and the node joins again when it is back") {
  local_cluster cluster{3};
  cluster.push_samples({"digits-mlp"});
  std::vector<std::string> ids;
  for (int index = 0; index < 60; ++index) {
    ids.push_back(cluster.submit(small_job()));
    if (index == 20)
      cluster.node(0).signal(SIGKILL);
  }
  for (auto& id : ids) {
    auto job = cluster.finish(id);
    INFO(job.value("error", json{}).dump());
    CHECK(job["status"] == "completed");
  }
  cluster.wait_until("the dead node is offline", [&] { return cluster.nodes_online() == 2; });
  cluster.start_node(0);
  cluster.wait_until("it is back", [&] { return cluster.nodes_online() == 3; });
  auto nodes = cluster.get("/api/v1/nodes").body["nodes"];
  CHECK(nodes.size() == 3);
}

TEST_CASE("nothing that was accepted is lost when the orchestrator is killed") {
  local_cluster cluster{2};
  cluster.push_samples({"digits-mlp"});
  CHECK(cluster.post("/api/v1/placement", {{"paused", true}}).status == 200);
  std::vector<std::string> ids;
  for (int index = 0; index < 40; ++index)
    ids.push_back(cluster.submit(small_job()));
  cluster.orchestrator().signal(SIGKILL);
  CHECK(cluster.orchestrator().wait(std::chrono::seconds{10}) == 128 + SIGKILL);
  cluster.start_orchestrator();
  for (auto& id : ids)
    CHECK(cluster.finish(id)["status"] == "completed");
  cluster.wait_until("both nodes have joined again", [&] { return cluster.nodes_online() == 2; });
  auto again = cluster.submit(small_job());
  CHECK(cluster.finish(again)["status"] == "completed");
}

TEST_CASE("every process ends with status 0 when it is asked to") {
  local_cluster cluster{2};
  cluster.push_samples({"digits-mlp"});
  CHECK(cluster.finish(cluster.submit(small_job()))["status"] == "completed");
  for (std::size_t index = 0; index < 2; ++index) {
    cluster.node(index).signal(SIGTERM);
    CHECK(cluster.node(index).wait(std::chrono::seconds{40}) == 0);
  }
  cluster.orchestrator().signal(SIGTERM);
  CHECK(cluster.orchestrator().wait(std::chrono::seconds{40}) == 0);
}

TEST_CASE("a node that starts before its orchestrator joins when that is there") {
  local_cluster cluster{1};
  cluster.orchestrator().signal(SIGTERM);
  CHECK(cluster.orchestrator().wait(std::chrono::seconds{40}) == 0);
  cluster.node(0).signal(SIGKILL);
  cluster.start_node(0);
  cluster.start_orchestrator();
  cluster.wait_until("the node is online", [&] { return cluster.nodes_online() == 1; });
}
