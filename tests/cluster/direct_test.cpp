// Direct inference over several nodes: one of them dies under load.
#include <doctest/doctest.h>

#include <csignal>
#include <utility>

#include "tests/cluster/local_cluster.hpp"
#include "tools/bench/http_load.hpp"

using namespace dim;
using nlohmann::json;
using tests::local_cluster;

namespace {

constexpr const char* target = "/v2/models/digits-mlp/infer";

json small_request() {
  return {{"inputs", json::array({tests::digit_input(tests::sample_digits().front().pixels)})}};
}

/// Starts the model and waits until every node has an agent of it.
void warm_up(const local_cluster& cluster) {
  cluster.wait_until("the model answers",
                     [&] { return cluster.post(target, small_request()).status == 200; });
  cluster.wait_until("every node has an agent", [&] {
    for (std::size_t index = 0; index < cluster.nodes(); ++index)
      if (cluster.agents_of(index).empty())
        return false;
    return true;
  });
}

}  // namespace

TEST_CASE("a node that is killed under load costs no request that has time left") {
  local_cluster cluster{3};
  cluster.push_samples({"digits-mlp"});
  warm_up(cluster);
  tools::load_options options;
  options.port = cluster.port();
  options.connections = 16;
  options.duration = std::chrono::seconds{4};
  auto request = tools::request_text{tools::make_request("POST", target, small_request().dump())};
  std::string problem;
  auto answers = 0;
  auto load = tools::run_load(
    options, [&](std::uint64_t, const tools::answer&) { return request; },
    [&](const tools::answer& x) {
      if (x.status != 200 && problem.empty())
        problem = x.body;
      if (++answers == 100)
        cluster.node(0).signal(SIGKILL);
      return x.status == 200;
    });
  INFO(problem, load.first_error);
  CHECK(load.answered > 100);
  CHECK(load.errors == 0);
  cluster.wait_until("the dead node is offline", [&] { return cluster.nodes_online() == 2; });
}

TEST_CASE("an agent that is killed under load costs no request that has time left") {
  local_cluster cluster{2};
  cluster.push_samples({"digits-mlp"});
  warm_up(cluster);
  tools::load_options options;
  options.port = cluster.port();
  options.connections = 16;
  options.duration = std::chrono::seconds{3};
  auto request = tools::request_text{tools::make_request("POST", target, small_request().dump())};
  std::string problem;
  auto killed = false;
  auto load = tools::run_load(
    options, [&](std::uint64_t, const tools::answer&) { return request; },
    [&](const tools::answer& x) {
      if (x.status != 200 && problem.empty())
        problem = x.body;
      if (!std::exchange(killed, true))
        ::kill(cluster.agents_of(0).front().pid, SIGKILL);
      return x.status == 200;
    });
  INFO(problem, load.first_error);
  CHECK(load.answered > 100);
  CHECK(load.errors == 0);
}
