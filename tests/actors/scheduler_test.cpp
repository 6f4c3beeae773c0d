#include <doctest/doctest.h>

#include "actors/cluster/scheduler.hpp"
#include "tests/support/actor_fixture.hpp"

using namespace dim;
using namespace dim::actors;

namespace {

/// A scheduler with fake nodes and a fake engine, each of which keeps what it gets.
struct scheduler_fixture : tests::actor_fixture {
  std::shared_ptr<tests::inbox> engine_box = std::make_shared<tests::inbox>();
  std::shared_ptr<tests::inbox> registry_box = std::make_shared<tests::inbox>();
  std::map<std::string, std::shared_ptr<tests::inbox>> node_box;
  std::map<std::string, caf::actor> node;
  caf::actor engine = probe(engine_box);
  scheduler_actor scheduler;

  scheduler_fixture() {
    scheduler_arguments arguments;
    arguments.options.queue_timeout_ms = 10'000;
    arguments.registry.set(caf::actor_cast<registry_actor>(probe(registry_box)));
    scheduler = sys().spawn(actors::scheduler, arguments);
    run();
  }

  void add_node(const std::string& id, std::uint32_t slots = 1, std::uint64_t incarnation = 1) {
    node_box[id] = std::make_shared<tests::inbox>();
    node[id] = probe(node_box[id]);
    node_updated news;
    news.record.facts.id = id;
    news.record.facts.name = id;
    news.record.facts.cpu_cores = 2;
    news.record.facts.memory_bytes = 4'000'000'000;
    news.record.facts.devices = {{"cpu:0", "cpu", "", 1, 0, slots}};
    news.record.state = node_state::online;
    news.record.incarnation = incarnation;
    news.handle = caf::actor_cast<node_actor>(node[id]);
    send(scheduler, news);
  }

  execution_request request_of(const std::string& id, std::uint32_t epoch = 1) {
    execution_request result;
    result.execution_id = id;
    result.job_id = "job";
    result.epoch = epoch;
    return result;
  }

  void place(std::vector<execution_request> group, std::uint64_t time_left_ms = 60'000) {
    send_from(engine, scheduler, place_executions{std::move(group), time_left_ms});
  }

  execution_finished answer_of(const std::string& id, const std::string& node_id,
                               std::uint32_t epoch = 1, std::uint64_t incarnation = 1) {
    execution_finished result;
    result.node_id = node_id;
    result.incarnation = incarnation;
    result.execution_id = id;
    result.epoch = epoch;
    result.outputs = {
      models::make_tensor("y", models::datatype::fp32, {1}, std::vector<char>(4, '\1'))};
    return result;
  }

  std::vector<execution_ended> endings() const {
    return engine_box->all<execution_ended>();
  }
};

}  // namespace

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
  CHECK(f.node_box["a"]->count<acknowledge_execution>() == 2);
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
                                 [&chunks, large](const fetch_chunk& wish) {
                                   ++chunks;
                                   auto view = large.data.view().substr(wish.offset, wish.length);
                                   return chunk{runtime::bytes::copy_of(view), large.byte_size};
                                 });
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
