// Popular models are started on nodes that join, before anybody asks for them there.
#include <doctest/doctest.h>

#include "tests/cluster/local_cluster.hpp"

using namespace dim;
using nlohmann::json;
using tests::local_cluster;
using namespace std::chrono_literals;

namespace {

constexpr const char* target = "/v2/models/digits-mlp/infer";

json one_digit() {
  return {{"inputs", json::array({tests::digit_input(tests::sample_digits().front().pixels)})}};
}

std::size_t early_starts(const local_cluster& cluster) {
  return cluster.count_in_log("orchestrator", "started a popular model");
}

/// Waits until node 1 has an agent that nobody has asked for, and returns its process.
std::int64_t early_agent(const local_cluster& cluster) {
  // ROUTER looks once a minute at what was asked for.
  cluster.wait_until(
    "node 1 has an agent", [&] { return cluster.agents_of(1).size() == 1; }, 90s);
  return cluster.agents_of(1).front().pid;
}

}  // namespace

TEST_CASE("a model that was asked for is started on a node that joins, without a request") {
  local_cluster cluster{2};
  cluster.node(1).kill();
  cluster.push_samples({"digits-mlp", "digits-linear"});
  cluster.wait_until("the model answers",
                     [&] { return cluster.post(target, one_digit()).status == 200; });
  for (int number = 0; number < 20; ++number)
    CHECK(cluster.post(target, one_digit()).status == 200);
  CHECK(early_starts(cluster) == 0);
  cluster.start_node(1);
  early_agent(cluster);
  cluster.wait_until("ROUTER has heard of it", [&] { return early_starts(cluster) == 1; });

  // What is popular is known by now.
  cluster.node(1).kill();
  cluster.wait_until("it is offline", [&] { return cluster.nodes_online() == 1; });
  cluster.start_node(1);
  auto agent = early_agent(cluster);
  cluster.wait_until("ROUTER has heard of it", [&] { return early_starts(cluster) == 2; });

  // That agent answers when it is the only one.
  cluster.node(0).kill();
  cluster.wait_until("the other node answers",
                     [&] { return cluster.post(target, one_digit()).status == 200; });
  auto agents = cluster.agents_of(1);
  REQUIRE(agents.size() == 1);
  CHECK(agents.front().pid == agent);
}

TEST_CASE("a popular model whose agent has ended for want of requests is started again, unasked") {
  local_cluster cluster{1, {"--agent.idle_ms=3000"}};
  cluster.push_samples({"digits-mlp"});
  cluster.wait_until("the model answers",
                     [&] { return cluster.post(target, one_digit()).status == 200; });
  auto agents = cluster.agents_of(0);
  REQUIRE(agents.size() == 1);
  auto first = agents.front().pid;
  cluster.wait_until("its agent has ended", [&] { return cluster.agents_of(0).empty(); });
  // ROUTER looks once a minute at what was asked for.
  cluster.wait_until(
    "it has been started again", [&] { return early_starts(cluster) == 1; }, 90s);
  auto again = cluster.agents_of(0);
  REQUIRE(again.size() == 1);
  CHECK(again.front().pid != first);
}
