#include "tests/actors/scheduler_fixture.hpp"

using namespace dim;
using namespace dim::actors;
using tests::scheduler_fixture;

TEST_CASE("an execution is sent to a node, and its answer to the engine, exactly once") {
  scheduler_fixture f;
  f.add_node("a");
  f.place({f.request_of("e1")});
  REQUIRE(f.node_box["a"]->count<run_execution>() == 1);
  auto order = f.node_box["a"]->all<run_execution>()[0];
  CHECK(order.time_left_ms == 60'000);
  CHECK(f.engine_box->count<execution_placed>() == 1);
  f.send(f.scheduler, execution_started{"a", 1, "e1", 1, "cpu:0"});
  CHECK(f.engine_box->count<execution_running>() == 1);
  f.send(f.scheduler, f.answer_of("e1", "a"));
  f.send(f.scheduler, f.answer_of("e1", "a"));
  REQUIRE(f.endings().size() == 1);
  CHECK(f.endings()[0].error.code == runtime::error_code::none);
  CHECK(f.endings()[0].result_digest == models::canonical_digest(f.endings()[0].outputs));
  CHECK(f.registry_box->count<execution_counted>() == 1);
}

TEST_CASE("an answer of another epoch or incarnation changes nothing and is acknowledged") {
  scheduler_fixture f;
  f.add_node("a");
  f.place({f.request_of("e1", 2)});
  f.send(f.scheduler, f.answer_of("e1", "a", 1));
  f.send(f.scheduler, f.answer_of("e1", "a", 2, 7));
  CHECK(f.endings().empty());
  CHECK(f.node_box["a"]->count<acknowledge_execution>() == 2);
  f.send(f.scheduler, f.answer_of("e1", "a", 2));
  CHECK(f.endings().size() == 1);
}

TEST_CASE("an answer whose bytes do not have their digest ends as corrupt") {
  scheduler_fixture f;
  f.add_node("a");
  f.place({f.request_of("e1")});
  auto answer = f.answer_of("e1", "a");
  answer.outputs[0].data = runtime::bytes{std::vector<char>(4, '\2')};
  f.send(f.scheduler, answer);
  REQUIRE(f.endings().size() == 1);
  CHECK(f.endings()[0].error.code == runtime::error_code::corrupt);
}

TEST_CASE("a node holds at most twice its slots, and the next goes out when one ends") {
  scheduler_fixture f;
  f.add_node("a");
  for (auto id : {"e1", "e2", "e3"})
    f.place({f.request_of(id)});
  CHECK(f.node_box["a"]->count<run_execution>() == 2);
  f.send(f.scheduler, f.answer_of("e1", "a"));
  CHECK(f.node_box["a"]->count<run_execution>() == 3);
}

TEST_CASE(
  "what no node can run waits for one that can, and ends as no_nodes at the queue timeout") {
  scheduler_fixture f;
  f.add_node("a");
  auto request = f.request_of("e1");
  request.cabinet = "patients";
  f.place({request});
  f.place({f.request_of("e2")});
  CHECK(f.node_box["a"]->count<run_execution>() == 1);
  f.advance(9'000);
  CHECK(f.endings().empty());
  f.advance(1'200);
  REQUIRE(f.endings().size() == 1);
  CHECK(f.endings()[0].execution_id == "e1");
  CHECK(f.endings()[0].error.code == runtime::error_code::no_nodes);
  CHECK(f.endings()[0].error.details
        == std::vector<std::string>{"node a: has no cabinet 'patients'"});
}

TEST_CASE("a group waits until there is a node for each, and is then placed at once") {
  scheduler_fixture f;
  f.add_node("a");
  f.add_node("b");
  f.place({f.request_of("e1"), f.request_of("e2"), f.request_of("e3")});
  CHECK(f.engine_box->count<execution_placed>() == 0);
  f.add_node("c");
  CHECK(f.engine_box->count<execution_placed>() == 3);
  for (auto id : {"a", "b", "c"})
    CHECK(f.node_box[id]->count<run_execution>() == 1);
}

TEST_CASE("the loss of a node ends its executions at once, and only those of that incarnation") {
  scheduler_fixture f;
  f.add_node("a");
  f.place({f.request_of("e1")});
  f.send(f.scheduler, node_lost{"a", 9, "old news"});
  CHECK(f.endings().empty());
  f.send(f.scheduler, node_lost{"a", 1, "the connection to the node was lost"});
  REQUIRE(f.endings().size() == 1);
  CHECK(f.endings()[0].error.code == runtime::error_code::node_lost);
  f.place({f.request_of("e2")});
  CHECK(f.node_box["a"]->count<run_execution>() == 1);
  f.add_node("a", 1, 2);
  CHECK(f.node_box["a"]->count<run_execution>() == 1);
  f.send(f.scheduler, f.answer_of("e1", "a", 1, 1));
  CHECK(f.endings().size() == 1);
}

TEST_CASE(
  "a withdrawn execution leaves the queue, or is cancelled at its node, without an ending") {
  scheduler_fixture f;
  f.place({f.request_of("e1")});
  f.send(f.scheduler, withdraw_execution{"e1"});
  f.add_node("a");
  CHECK(f.node_box["a"]->count<run_execution>() == 0);
  f.place({f.request_of("e2")});
  f.send(f.scheduler, withdraw_execution{"e2"});
  CHECK(f.node_box["a"]->count<cancel_execution>() == 1);
  f.send(f.scheduler, f.answer_of("e2", "a"));
  CHECK(f.endings().empty());
  CHECK(f.ask<schedule_status>(f.scheduler, get_schedule{})->running == 0);
}

TEST_CASE("an execution that outlives its job's time is cancelled and ends as timeout") {
  scheduler_fixture f;
  f.add_node("a");
  f.place({f.request_of("e1")}, 5'000);
  f.advance(5'200);
  REQUIRE(f.endings().size() == 1);
  CHECK(f.endings()[0].error.code == runtime::error_code::timeout);
  CHECK(f.node_box["a"]->count<cancel_execution>() == 1);
}

TEST_CASE("placement can be paused and resumed without losing anything") {
  scheduler_fixture f;
  f.add_node("a");
  CHECK(f.ask<pause_placement>(f.scheduler, pause_placement{true})->paused);
  f.place({f.request_of("e1")});
  CHECK(f.node_box["a"]->count<run_execution>() == 0);
  f.ask<pause_placement>(f.scheduler, pause_placement{false});
  CHECK(f.node_box["a"]->count<run_execution>() == 1);
}

TEST_CASE("large inputs travel detached, large outputs are fetched in chunks and checked") {
  scheduler_fixture f;
  auto large = models::make_tensor("y", models::datatype::uint8, {3'000'000},
                                   std::vector<char>(3'000'000, '\5'));
  std::size_t chunks = 0;
  auto order = std::make_shared<run_execution>();
  auto node = f.fake<node_actor>([order](const run_execution& x) { *order = x; },
                                 [](const acknowledge_execution&) {},
                                 [](const cancel_execution&) {}, [](rejoin_cluster) {},
                                 [](const set_draining&) {},
                                 [&chunks, large](const fetch_chunk& wish) {
                                   ++chunks;
                                   auto view = large.data.view().substr(wish.offset, wish.length);
                                   return chunk{runtime::bytes::copy_of(view), large.byte_size};
                                 },
                                 [](const run_direct&) { return infer_results{}; },
                                 [](const withdraw_direct&) {},
                                 [](const set_agents&) { return agents_set{}; });
  f.add_node("a");
  node_updated news;
  news.record.facts = {"b", "b", "", "", 2, 4'000'000'000, {{"cpu:0", "cpu", "", 1, 0, 1}}, {}, 9};
  news.record.state = node_state::online;
  news.record.incarnation = 1;
  news.handle = node;
  f.send(f.scheduler, news);
  auto request = f.request_of("e1");
  request.include = {"b"};
  request.inputs = {large};
  f.place({request});
  REQUIRE(order->inputs.size() == 1);
  CHECK(order->inputs[0].is_detached());
  auto answer = f.answer_of("e1", "b");
  answer.outputs = {models::detached(large)};
  f.send(f.scheduler, answer);
  REQUIRE(f.endings().size() == 1);
  CHECK(chunks == 3);
  CHECK(f.endings()[0].outputs[0].data == large.data);
  CHECK(f.count_actors("RESULT_FETCH") == 0);
}

TEST_CASE("a retry waits a moment for a node that has not failed, then takes one that has") {
  scheduler_fixture f;
  f.add_node("a");
  auto again = f.request_of("e2");
  again.avoid = {"a"};
  f.place({again});
  f.advance(1'900);
  CHECK(f.count_orders("a") == 0);
  f.advance(200);
  CHECK(f.count_orders("a") == 1);
  auto third = f.request_of("e3");
  third.avoid = {"a"};
  f.add_node("b");
  f.place({third});
  CHECK(f.count_orders("b") == 1);
}

TEST_CASE("a node that has stalled is not sent orders without end for what was withdrawn") {
  scheduler_fixture f;
  f.add_node("a");
  for (int number = 0; number < 200; ++number) {
    auto id = "e" + std::to_string(number);
    f.place({f.request_of(id)});
    f.send(f.scheduler, withdraw_execution{id});
  }
  CHECK(f.count_orders("a") == cancelled_max);
  f.place({f.request_of("last")});
  CHECK(f.count_orders("a") == cancelled_max);
  f.beat("a", {});
  CHECK(f.count_orders("a") == cancelled_max + 1);
}
