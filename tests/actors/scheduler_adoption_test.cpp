// SCHEDULER and what an earlier engine has left at nodes, and messages that were lost.
#include "tests/actors/scheduler_fixture.hpp"

using namespace dim;
using namespace dim::actors;
using tests::scheduler_fixture;

namespace {

execution_request adopted(scheduler_fixture& f, const std::string& id, const std::string& node_id) {
  auto result = f.request_of(id);
  result.adopted_node = node_id;
  return result;
}

}  // namespace

TEST_CASE("an adopted execution is sent to its own node, at once or as soon as that has joined") {
  scheduler_fixture f;
  f.add_node("a");
  f.add_node("b");
  f.place({adopted(f, "e1", "b")});
  CHECK(f.count_orders("a") == 0);
  REQUIRE(f.count_orders("b") == 1);
  CHECK(f.node_box["b"]->all<run_execution>()[0].execution_id == "e1");
  f.place({adopted(f, "e2", "c")});
  f.advance(14'000);
  CHECK(f.endings().empty());
  f.add_node("c");
  CHECK(f.count_orders("c") == 1);
  f.send(f.scheduler, f.answer_of("e2", "c"));
  CHECK(f.endings().size() == 1);
}

TEST_CASE("an adopted execution whose node does not come back ends as node_lost") {
  scheduler_fixture f;
  f.place({adopted(f, "e1", "a")});
  f.advance(15'200);
  REQUIRE(f.endings().size() == 1);
  CHECK(f.endings()[0].error.code == runtime::error_code::node_lost);
  CHECK(f.endings()[0].node_id == "a");
  f.add_node("a");
  CHECK(f.count_orders("a") == 0);
}

TEST_CASE("adopted executions count against the room of their node") {
  scheduler_fixture f;
  f.add_node("a");
  f.place({adopted(f, "e1", "a")});
  f.place({adopted(f, "e2", "a")});
  f.place({f.request_of("e3")});
  CHECK(f.count_orders("a") == 2);
  f.send(f.scheduler, f.answer_of("e1", "a"));
  CHECK(f.count_orders("a") == 3);
}

TEST_CASE("what flies on without its engine goes to the engine that adopts it") {
  scheduler_fixture f;
  f.add_node("a");
  f.place({f.request_of("e1")});
  f.place({f.request_of("e2")});
  f.place({f.request_of("waits")});
  f.send(f.scheduler, execution_started{"a", 1, "e1", 1, "cpu:0"});
  f.send(f.scheduler, engine_gone{f.engine.id(), {"e1", "e2", "waits"}});
  auto heir_box = std::make_shared<tests::inbox>();
  auto heir = f.probe(heir_box);
  f.send_from(heir, f.scheduler, place_executions{{adopted(f, "e1", "a")}, 60'000});
  CHECK(f.count_orders("a") == 2);
  CHECK(heir_box->count<execution_running>() == 1);
  f.send(f.scheduler, f.answer_of("e1", "a"));
  CHECK(heir_box->count<execution_ended>() == 1);
  CHECK(f.endings().empty());
  // What waited is gone with its engine, and what nobody adopts is withdrawn in the end.
  CHECK(f.ask<schedule_status>(f.scheduler, get_schedule{})->waiting == 0);
  f.advance(14'000);
  CHECK(f.node_box["a"]->count<cancel_execution>() == 0);
  f.advance(1'500);
  CHECK(f.node_box["a"]->count<cancel_execution>() == 1);
  CHECK(f.ask<schedule_status>(f.scheduler, get_schedule{})->running == 0);
}

TEST_CASE("the end of an engine whose work was adopted before changes nothing") {
  scheduler_fixture f;
  f.add_node("a");
  f.place({f.request_of("e1")});
  auto heir_box = std::make_shared<tests::inbox>();
  auto heir = f.probe(heir_box);
  f.send_from(heir, f.scheduler, place_executions{{adopted(f, "e1", "a")}, 60'000});
  f.send(f.scheduler, engine_gone{f.engine.id(), {"e1"}});
  f.advance(20'000);
  CHECK(f.node_box["a"]->count<cancel_execution>() == 0);
}

TEST_CASE("a result is acknowledged when its end is stored, and not before") {
  scheduler_fixture f;
  f.add_node("a");
  f.place({f.request_of("e1")});
  f.advance(20'000);
  f.send(f.scheduler, f.answer_of("e1", "a"));
  f.send(f.scheduler, f.answer_of("e1", "a"));
  for (int beats = 0; beats < 5; ++beats)
    f.beat("a", {{"e1", 1, true}});
  CHECK(f.endings().size() == 1);
  CHECK(f.node_box["a"]->count<acknowledge_execution>() == 0);
  CHECK(f.node_box["a"]->count<cancel_execution>() == 0);
  f.store("e1", "a");
  CHECK(f.node_box["a"]->count<acknowledge_execution>() == 1);
}

TEST_CASE("results that nobody asked for are kept at their nodes at first, then acknowledged") {
  scheduler_fixture f;
  f.add_node("a");
  f.send(f.scheduler, f.answer_of("e1", "a"));
  CHECK(f.node_box["a"]->count<acknowledge_execution>() == 0);
  f.advance(15'000);
  f.send(f.scheduler, f.answer_of("e1", "a"));
  CHECK(f.node_box["a"]->count<acknowledge_execution>() == 1);
  CHECK(f.endings().empty());
}

TEST_CASE("an order that two heartbeats do not name is sent again, and after three is given up") {
  scheduler_fixture f;
  f.add_node("a");
  f.place({f.request_of("e1")});
  f.beat("a", {});
  CHECK(f.count_orders("a") == 1);
  f.beat("a", {});
  CHECK(f.count_orders("a") == 2);
  // One that names it, with another epoch or from another start of the node, does not count.
  f.beat("a", {{"e1", 9, false}});
  f.beat("a", {}, true, 7);
  f.beat("a", {}, false);
  CHECK(f.count_orders("a") == 2);
  f.beat("a", {});
  CHECK(f.count_orders("a") == 3);
  for (int beats = 0; beats < 3; ++beats)
    f.beat("a", {});
  CHECK(f.count_orders("a") == 4);
  CHECK(f.endings().empty());
  f.beat("a", {});
  REQUIRE(f.endings().size() == 1);
  CHECK(f.endings()[0].error.code == runtime::error_code::node_lost);
  CHECK(f.count_orders("a") == 4);
}

TEST_CASE("an order that heartbeats name is not sent again, however long it runs") {
  scheduler_fixture f;
  f.add_node("a");
  f.place({f.request_of("e1")});
  for (int beats = 0; beats < 20; ++beats) {
    f.beat("a", {});
    f.beat("a", {{"e1", 1, false}});
  }
  CHECK(f.count_orders("a") == 1);
}

TEST_CASE("a result that was lost on its way is asked for again") {
  scheduler_fixture f;
  f.add_node("a");
  f.place({f.request_of("e1")});
  f.beat("a", {{"e1", 1, true}});
  CHECK(f.count_orders("a") == 1);
  f.beat("a", {{"e1", 1, true}});
  CHECK(f.count_orders("a") == 2);
  f.send(f.scheduler, f.answer_of("e1", "a"));
  CHECK(f.endings().size() == 1);
}

TEST_CASE("what a node has in hand that nobody asked for is cancelled, but not before adoption") {
  scheduler_fixture f;
  f.add_node("a");
  for (int beats = 0; beats < 5; ++beats)
    f.beat("a", {{"stranger", 3, false}});
  CHECK(f.node_box["a"]->count<cancel_execution>() == 0);
  f.advance(15'000);
  f.beat("a", {{"stranger", 3, false}});
  CHECK(f.node_box["a"]->count<cancel_execution>() == 0);
  f.beat("a", {{"stranger", 3, false}});
  auto cancelled = f.node_box["a"]->all<cancel_execution>();
  REQUIRE(cancelled.size() == 1);
  CHECK(cancelled[0].execution_id == "stranger");
  CHECK(cancelled[0].epoch == 3);
  f.beat("a", {});
  f.beat("a", {{"stranger", 3, true}});
  CHECK(f.node_box["a"]->count<cancel_execution>() == 1);
}

TEST_CASE("after a lost link the results of lost work are dropped, those of adopted work taken") {
  scheduler_fixture f;
  f.add_node("a");
  f.place({f.request_of("e1")});
  f.send(f.scheduler, node_lost{"a", 1, "the connection to the node was lost"});
  f.place({adopted(f, "e2", "a")});
  CHECK(f.endings().size() == 1);
  f.add_node("a");
  CHECK(f.count_orders("a") == 1);
  f.send(f.scheduler, f.answer_of("e1", "a"));
  f.send(f.scheduler, f.answer_of("e2", "a"));
  REQUIRE(f.endings().size() == 2);
  CHECK(f.endings()[1].execution_id == "e2");
  CHECK(f.endings()[1].error.code == runtime::error_code::none);
}
