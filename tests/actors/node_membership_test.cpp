// NODE as a member: join, heartbeat, re-join, results until they are acknowledged.
#include "tests/actors/node_fixture.hpp"

using namespace dim;
using namespace dim::actors;
using runtime::error_code;
using tests::node_fixture;

TEST_CASE("a node joins as soon as the orchestrator is there, and then sends heartbeats") {
  node_fixture f;
  f.arguments.measure = [] {
    node_load load;
    load.cpu_permille = 123;
    return load;
  };
  f.start(false);
  f.advance(3'000);
  f.bring_entry_up();
  f.advance(100);
  REQUIRE(f.orchestrator->joins.size() == 1);
  auto& join = f.orchestrator->joins[0];
  CHECK(join.cluster == "test");
  CHECK(join.protocol == protocol_number);
  CHECK(join.facts == f.arguments.facts);
  CHECK(join.incarnation != 0);
  CHECK(join.handle == node_actor{f.node});
  CHECK(f.orchestrator->heartbeats.size() == 1);
  f.advance(5'000);
  CHECK(f.orchestrator->heartbeats.size() == 6);
  CHECK(f.orchestrator->heartbeats[0].load.cpu_permille == 123);
  CHECK(f.orchestrator->heartbeats[0].incarnation == join.incarnation);
  CHECK_FALSE(f.orchestrator->heartbeats[0].draining);
}

TEST_CASE("a heartbeat tells of the queue, the work in hand, the cache and the devices") {
  node_fixture f;
  f.start();
  f.send(f.node, device_changed{{}, {"cpu:0", 1, 0, 0, {}}});
  const device_load on_device{"cpu:0", 500, 2, 90, {{"pairs", "1", 2, 45}}};
  f.send(f.node, device_changed{{"pairs:1@d"}, on_device});
  f.send(f.node, cache_changed{77, {"d1", "d2"}});
  for (auto* id : {"a", "b", "c"})
    f.send(f.node, node_fixture::order_of(id));
  f.advance(1'000);
  auto& load = f.orchestrator->heartbeats.back().load;
  CHECK(load.queued == 1);
  CHECK(load.active == std::vector<std::string>{"a", "b", "c"});
  CHECK(load.cache_used_bytes == 77);
  CHECK(load.cached_models == std::vector<std::string>{"d1", "d2"});
  CHECK(load.devices == std::vector<device_load>{on_device});
}

TEST_CASE("a refused join is tried again, with growing pauses") {
  node_fixture f;
  f.orchestrator->join_error = {error_code::conflict, "another one has this id", {}};
  f.start();
  f.advance(100);
  CHECK(f.orchestrator->joins.size() == 2);
  f.advance(60'000);
  auto tries = f.orchestrator->joins.size();
  CHECK(tries > 12);
  CHECK(tries < 40);
  CHECK(f.orchestrator->heartbeats.empty());
  f.orchestrator->join_error = {};
  f.advance(5'000);
  CHECK(f.orchestrator->joins.size() == tries + 1);
  CHECK_FALSE(f.orchestrator->heartbeats.empty());
}

TEST_CASE("a join that is never answered is tried again after its deadline") {
  node_fixture f;
  f.orchestrator->answers_join = false;
  f.start();
  f.advance(9'900);
  CHECK(f.orchestrator->joins.size() == 1);
  f.orchestrator->answers_join = true;
  f.advance(500);
  CHECK(f.orchestrator->joins.size() == 2);
  CHECK(f.orchestrator->heartbeats.size() == 1);
}

TEST_CASE("after a lost link the node joins again as it was, with what ended meanwhile") {
  node_fixture f;
  f.start();
  f.send(f.node, node_fixture::order_of("a"));
  f.send(f.node, node_fixture::order_of("b"));
  f.kill(f.entry);
  f.finish_run();
  // The cell still holds the dead ENTRY: it is not asked.
  f.advance(20'000);
  CHECK(f.orchestrator->joins.size() == 1);
  CHECK(f.orchestrator->finished.empty());
  f.bring_entry_up();
  f.advance(200);
  REQUIRE(f.orchestrator->joins.size() == 2);
  CHECK(f.orchestrator->joins[1].incarnation == f.orchestrator->joins[0].incarnation);
  REQUIRE(f.orchestrator->finished.size() == 1);
  CHECK(f.orchestrator->finished[0].execution_id == "a");
  f.finish_run();
  CHECK(f.last_finished().execution_id == "b");
}

TEST_CASE("a result is repeated until it is acknowledged, and never after its job's time") {
  node_fixture f;
  f.device->echoes = true;
  f.start();
  f.send(f.node, node_fixture::order_of("a"));
  f.send(f.node, node_fixture::order_of("b"));
  REQUIRE(f.orchestrator->finished.size() == 2);
  f.send(f.node, acknowledge_execution{"a", 1});
  f.advance(11'000);
  REQUIRE(f.orchestrator->finished.size() == 3);
  CHECK(f.last_finished().execution_id == "b");
  f.advance(200'000);
  auto sent = f.orchestrator->finished.size();
  CHECK(sent < 12);
  f.advance(60'000);
  CHECK(f.orchestrator->finished.size() == sent);
}

TEST_CASE("a restarted orchestrator finds the work of its former self, and can ask for it") {
  node_fixture f;
  f.start();
  f.send(f.node, node_fixture::order_of("running"));
  f.send(f.node, node_fixture::order_of("finished"));
  f.send(f.node, node_fixture::order_of("waiting"));
  f.finish_run();
  auto before = f.orchestrator->finished.size();
  f.kill(f.entry);
  f.orchestrator->generation = 2;
  f.bring_entry_up();
  f.advance(200);
  REQUIRE(f.orchestrator->joins.size() == 2);
  CHECK(f.device->withdrawn.empty());
  CHECK(f.orchestrator->finished.size() == before + 1);
  const std::vector<work_in_hand> in_hand{
    {"finished", 1, false}, {"waiting", 1, false}, {"running", 1, true}};
  CHECK(f.orchestrator->heartbeats.back().work == in_hand);
  auto runs = f.device->runs_total;
  for (auto* id : {"running", "finished", "waiting"})
    f.send(f.node, node_fixture::order_of(id));
  CHECK(f.device->runs_total == runs);
  CHECK(f.orchestrator->finished.size() == before + 2);
}

TEST_CASE("an order for what runs already tells again that it runs") {
  node_fixture f;
  f.start();
  f.send(f.node, node_fixture::order_of("a"));
  f.send(f.node, infer_started{"a#1"});
  CHECK(f.orchestrator->started.size() == 1);
  f.send(f.node, node_fixture::order_of("a"));
  CHECK(f.orchestrator->started.size() == 2);
  CHECK(f.device->runs_total == 1);
}

TEST_CASE("a heartbeat names at most so much of the work in hand, and tells when that is not all") {
  node_fixture f;
  f.device->echoes = true;
  f.start();
  for (std::size_t number = 0; number < work_in_hand_max; ++number)
    f.send(f.node, node_fixture::order_of("e" + std::to_string(number)));
  f.advance(1'000);
  CHECK(f.orchestrator->heartbeats.back().work.size() == work_in_hand_max);
  CHECK(f.orchestrator->heartbeats.back().work_is_complete);
  f.send(f.node, node_fixture::order_of("one more"));
  f.advance(1'000);
  CHECK(f.orchestrator->heartbeats.back().work.size() == work_in_hand_max);
  CHECK_FALSE(f.orchestrator->heartbeats.back().work_is_complete);
}

TEST_CASE("a node that the registry has forgotten joins again when it is asked to") {
  node_fixture f;
  f.start();
  f.send(f.node, rejoin_cluster{});
  f.advance(10);
  CHECK(f.orchestrator->joins.size() == 2);
  f.send(f.node, rejoin_cluster{});
  f.send(f.node, rejoin_cluster{});
  f.advance(10);
  CHECK(f.orchestrator->joins.size() == 3);
}

TEST_CASE("another start of the node is another incarnation") {
  node_fixture f;
  f.start();
  f.kill(f.node);
  f.node = f.sys().spawn(actors::node, f.arguments);
  f.run();
  REQUIRE(f.orchestrator->joins.size() == 2);
  CHECK(f.orchestrator->joins[0].incarnation != f.orchestrator->joins[1].incarnation);
}
