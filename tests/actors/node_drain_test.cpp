// NODE before it goes: no new work, what waits is handed back, what runs ends or is handed back.
#include "tests/actors/node_fixture.hpp"

using namespace dim;
using namespace dim::actors;
using runtime::error_code;
using tests::node_fixture;

namespace {

std::size_t ended_with(const node_fixture& f, error_code code) {
  auto& all = f.orchestrator->finished;
  return static_cast<std::size_t>(
    std::count_if(all.begin(), all.end(), [&](auto& news) { return news.error.code == code; }));
}

}  // namespace

TEST_CASE("a draining node takes nothing new and tells when everything is done and acknowledged") {
  node_fixture f;
  f.start();
  f.send(f.node, node_fixture::order_of("a"));
  auto drained = f.request<node_drained>(f.node, drain_node{30'000});
  f.run();
  CHECK(f.orchestrator->heartbeats.back().draining);
  f.send(f.node, node_fixture::order_of("b"));
  CHECK(f.last_finished().execution_id == "b");
  CHECK(f.last_finished().error.code == error_code::unavailable);
  f.send(f.node, acknowledge_execution{"b", 1});
  CHECK_FALSE(drained->has_value());
  f.finish_run();
  CHECK_FALSE(drained->has_value());
  f.send(f.node, acknowledge_execution{"a", 1});
  REQUIRE(drained->has_value());
  CHECK((**drained)->left == 0);
}

TEST_CASE("what waits on a draining node is handed back at once, and none of it starts") {
  node_fixture f;
  f.start();
  // Two slots: "a" and "b" run, the others wait.
  for (auto* id : {"a", "b", "c", "d", "e"})
    f.send(f.node, node_fixture::order_of(id));
  auto drained = f.request<node_drained>(f.node, drain_node{30'000});
  f.run();
  CHECK(ended_with(f, error_code::unavailable) == 3);
  CHECK(f.device->runs_total == 2);
  for (auto* id : {"c", "d", "e"})
    f.send(f.node, acknowledge_execution{id, 1});
  f.finish_run();
  f.finish_run();
  CHECK(f.device->runs_total == 2);
  CHECK(ended_with(f, error_code::none) == 2);
  f.send(f.node, acknowledge_execution{"a", 1});
  f.send(f.node, acknowledge_execution{"b", 1});
  REQUIRE(drained->has_value());
  CHECK((**drained)->left == 0);
}

TEST_CASE("what still runs when the time for draining is over is handed back") {
  node_fixture f;
  f.start();
  f.send(f.node, node_fixture::order_of("a"));
  f.send(f.node, node_fixture::order_of("b"));
  auto drained = f.request<node_drained>(f.node, drain_node{5'500});
  f.advance(5'400);
  CHECK(f.orchestrator->finished.empty());
  f.advance(100);
  CHECK(ended_with(f, error_code::node_lost) == 2);
  CHECK(f.device->withdrawn.size() == 2);
  CHECK_FALSE(drained->has_value());
  f.send(f.node, acknowledge_execution{"a", 1});
  f.send(f.node, acknowledge_execution{"b", 1});
  REQUIRE(drained->has_value());
  CHECK((**drained)->left == 0);
  // The forwards that were withdrawn end later, and are told to nobody.
  f.finish_run();
  CHECK(f.orchestrator->finished.size() == 2);
}

TEST_CASE("a drain that nobody acknowledges ends late, and says what is left") {
  node_fixture f;
  f.start();
  f.send(f.node, node_fixture::order_of("a"));
  auto drained = f.request<node_drained>(f.node, drain_node{1'000});
  f.advance(2'900);
  CHECK_FALSE(drained->has_value());
  f.advance(200);
  REQUIRE(drained->has_value());
  CHECK((**drained)->left == 1);
}

TEST_CASE("a node that is drained on request stays, and works again when that is undone") {
  node_fixture f;
  f.device->echoes = true;
  f.start();
  f.send(f.node, set_draining{true, 1'000});
  CHECK(f.orchestrator->heartbeats.back().draining);
  f.send(f.node, node_fixture::order_of("a"));
  CHECK(f.last_finished().error.code == error_code::unavailable);
  f.advance(60'000);
  f.send(f.node, set_draining{false, 0});
  CHECK_FALSE(f.orchestrator->heartbeats.back().draining);
  f.send(f.node, node_fixture::order_of("b"));
  CHECK(f.last_finished().execution_id == "b");
  CHECK(f.last_finished().error.code == error_code::none);
}

TEST_CASE("a process that is about to end is not undrained") {
  node_fixture f;
  f.start();
  f.send(f.node, node_fixture::order_of("a"));
  auto drained = f.request<node_drained>(f.node, drain_node{30'000});
  f.run();
  f.send(f.node, set_draining{false, 0});
  f.send(f.node, node_fixture::order_of("b"));
  CHECK(f.last_finished().error.code == error_code::unavailable);
  CHECK_FALSE(drained->has_value());
}

TEST_CASE("a node does not go while direct inferences run, nor waits for them too long") {
  node_fixture f;
  f.start();
  run_direct order{"pairs", "1", std::string(64, 'd'), 0, {}};
  order.requests.push_back({1, "r1", tests::pairs(), 0, 0, 60'000});
  auto reply = f.request<infer_results>(f.node, order);
  f.run();
  auto drained = f.request<node_drained>(f.node, drain_node{30'000});
  f.advance(10'000);
  CHECK_FALSE(drained->has_value());
  SUBCASE("they end") {
    f.finish_run();
    CHECK(reply->has_value());
    f.advance(100);
    REQUIRE(drained->has_value());
    CHECK((**drained)->left == 0);
  }
  SUBCASE("they do not") {
    f.advance(25'000);
    REQUIRE(drained->has_value());
    CHECK((**drained)->left == 1);
  }
}
