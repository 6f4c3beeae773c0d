#include <map>
#include <memory>

#include <doctest/doctest.h>

#include "actors/cluster/scheduler.hpp"
#include "tests/actors/engine_fixture.hpp"

using namespace dim;
using namespace dim::actors;
using namespace dim::tests;
using runtime::error_code;

TEST_CASE("consensus of two ends a replicated job, and the third is scored before ENGINE quits") {
  engine_fixture f{pattern::replicated};
  f.start();
  for (std::size_t index = 0; index < 3; ++index)
    f.send(f.engine, execution_placed{
                       f.request(0, index).execution_id, std::string(1, "abc"[index]), "", {}});
  f.end(f.request(0, 0), "a", scores({1, 2}));
  f.end(f.request(0, 1), "b", scores({1, 2}));
  REQUIRE(f.finished.size() == 1);
  CHECK(f.finished[0].result.verified.reached_at == runtime::wall_ms(f.sys()));
  CHECK(f.done == 0);
  f.end(f.request(0, 2), "c", scores({2, 1}));
  REQUIRE(f.scored.size() == 1);
  CHECK(f.scored[0].score.points == -10);
  CHECK(f.done == 1);
}

TEST_CASE("ENGINE gives stragglers their time and no more") {
  engine_fixture f{pattern::replicated};
  f.arguments.straggler_wait_ms = 700;
  f.start();
  f.advance(20'000);
  for (std::size_t index = 0; index < 3; ++index)
    f.send(f.engine, execution_placed{
                       f.request(0, index).execution_id, std::string(1, "abc"[index]), "", {}});
  f.end(f.request(0, 0), "a", scores({1, 2}));
  f.end(f.request(0, 1), "b", scores({1, 2}));
  f.advance(690);
  CHECK(f.done == 0);
  f.advance(20);
  CHECK(f.done == 1);
  CHECK(f.withdrawn == std::vector<std::string>{f.request(0, 2).execution_id});
}

TEST_CASE("the points of agreement are those that ENGINE is started with") {
  engine_fixture f{pattern::replicated};
  f.arguments.points_agreed = 7;
  f.start();
  f.end(f.request(0, 0), "a", scores({1, 2}));
  f.end(f.request(0, 1), "b", scores({1, 2}));
  REQUIRE(f.finished.size() == 1);
  CHECK(f.finished[0].scores.at(0).points == 7);
}

TEST_CASE("ENGINE loads large answers from MODELS when their digests differ") {
  engine_fixture f{pattern::replicated};
  f.start();
  const auto large = scores(std::vector<float>(300'000, 1.0F));
  auto nearly = std::vector<float>(300'000, 1.0F);
  nearly[7] = 1.000001F;
  f.stored = large[0];
  f.end(f.request(0, 0), "a", scores(nearly));
  f.end(f.request(0, 1), "b", all_detached(large));
  REQUIRE(f.finished.size() == 1);
  CHECK(f.finished[0].result.verified.agreeing_nodes == std::vector<std::string>{"a", "b"});
}

TEST_CASE("ENGINE goes on when MODELS does not have the bytes of an answer") {
  engine_fixture f{pattern::replicated};
  f.start();
  f.end(f.request(0, 0), "a", scores({1, 2}));
  f.end(f.request(0, 1), "b", all_detached(scores({2, 1})));
  CHECK(f.finished.empty());
  f.end(f.request(0, 2), "c", scores({1, 2}));
  CHECK(f.finished.size() == 1);
}

TEST_CASE("ENGINE stores the outputs of a step before it places the next one") {
  engine_fixture f{pattern::chained, 2};
  f.start();
  f.end(f.request(0), "a", scores({1, 2}));
  REQUIRE(f.saves.size() == 1);
  CHECK(f.saves[0].outputs == scores({1, 2}));
  REQUIRE(f.groups.size() == 2);
  CHECK(f.request(1).inputs == models::tensor_list{floats("x", {1, 2})});
  f.end(f.request(1), "b", scores({3, 4}));
  CHECK(f.finished.at(0).result.outputs == scores({3, 4}));
}

TEST_CASE("ENGINE resumes a chain from the outputs that JOB gives it") {
  engine_fixture f{pattern::chained, 3};
  f.arguments.step_outputs = {scores({1, 1}), scores({5, 6})};
  f.start();
  CHECK(f.request(0).step == 2);
  CHECK(f.request(0).inputs == models::tensor_list{floats("x", {5, 6})});
}

TEST_CASE("a step that JOB can not store fails the job with JOB's reason, naming the step") {
  engine_fixture f{pattern::chained, 2};
  f.refuses_steps = true;
  f.start();
  f.end(f.request(0), "a", scores({1, 2}));
  CHECK(f.failure_code() == error_code::store_full);
  CHECK(f.failed[0].error.message == "step 0: its outputs were not stored: the disk is full");
}

TEST_CASE("ENGINE asks which nodes hold the cabinet, and joins what they answer") {
  engine_fixture f{pattern::collaborative};
  f.start();
  REQUIRE(f.groups.size() == 2);
  CHECK(f.request(0).include == std::vector<std::string>{"a"});
  CHECK(f.request(1).cabinet == "patients");
  f.end(f.request(0), "a", scores({1}));
  f.break_down(f.request(1), "b", error_code::bad_input);
  REQUIRE(f.finished.size() == 1);
  CHECK(f.finished[0].result.missing == std::vector<std::string>{"b"});
}

TEST_CASE("ENGINE runs the models of a comparative job in turn and lets them vote") {
  engine_fixture f{pattern::comparative, 3};
  f.start();
  for (std::size_t index = 0; index < 3; ++index) {
    REQUIRE(f.groups.size() == index + 1);
    CHECK(f.request(index).model.model == "m" + std::to_string(index));
    f.end(f.request(index), "a", index == 1 ? scores({9, 1}) : scores({1, 9}));
  }
  REQUIRE(f.finished.size() == 1);
  CHECK(f.finished[0].result.label == "1");
}

TEST_CASE("with the real SCHEDULER and a lost node, a replicated job still gets its answer") {
  engine_fixture f{pattern::replicated};
  scheduler_arguments schedule;
  auto registry_box = std::make_shared<inbox>();
  schedule.registry.set(caf::actor_cast<registry_actor>(f.probe(registry_box)));
  auto scheduler = f.sys().spawn(actors::scheduler, schedule);
  f.arguments.scheduler.set(scheduler);
  std::map<std::string, std::shared_ptr<inbox>> boxes;
  for (std::string id : {"a", "b", "c", "d"}) {
    boxes[id] = std::make_shared<inbox>();
    node_updated news;
    news.record.facts.id = news.record.facts.name = id;
    news.record.facts.cpu_cores = 1;
    news.record.facts.memory_bytes = 4'000'000'000;
    news.record.facts.devices = {{"cpu:0", "cpu", "", 1, 0, 1}};
    news.record.state = node_state::online;
    news.record.incarnation = 1;
    news.handle = caf::actor_cast<node_actor>(f.probe(boxes[id]));
    f.send(scheduler, news);
  }
  f.start();
  const auto finish_at = [&](const std::string& id, const models::tensor_list& outputs) {
    auto order = boxes[id]->all<run_execution>().at(0);
    CHECK(order.deterministic);
    execution_finished news;
    news.node_id = id;
    news.incarnation = 1;
    news.execution_id = order.execution_id;
    news.epoch = order.epoch;
    news.outputs = outputs;
    f.send(scheduler, news);
  };
  finish_at("a", scores({1, 2}));
  f.send(scheduler, node_lost{"b", 1, "gone"});
  CHECK(boxes["d"]->count<run_execution>() == 0);
  f.advance(250);
  REQUIRE(boxes["d"]->count<run_execution>() == 1);
  finish_at("c", scores({2, 1}));
  CHECK(f.finished.empty());
  finish_at("d", scores({1, 2}));
  REQUIRE(f.finished.size() == 1);
  CHECK(f.finished[0].result.verified.agreeing_nodes == std::vector<std::string>{"a", "d"});
  CHECK(f.finished[0].result.verified.disagreeing_nodes == std::vector<std::string>{"c"});
  CHECK(f.done == 1);
}
