#include <algorithm>
#include <map>
#include <memory>

#include <doctest/doctest.h>

#include "actors/cluster/scheduler.hpp"
#include "actors/engine/engine.hpp"
#include "tests/actors/engine_support.hpp"
#include "tests/support/actor_fixture.hpp"

using namespace dim;
using namespace dim::actors;
using namespace dim::tests;
using runtime::error_code;

namespace {

/// An ENGINE between a fake JOB, SCHEDULER and MODELS that keep what they get.
struct engine_fixture : actor_fixture {
  /// What JOB and SCHEDULER got, in order.
  std::vector<execution_changed> changes;
  std::vector<engine_finished> finished;
  std::vector<engine_failed> failed;
  std::vector<straggler_scored> scored;
  std::vector<save_step> saves;
  int done = 0;
  std::vector<place_executions> groups;
  std::vector<std::string> withdrawn;
  /// What MODELS hands out.
  models::tensor stored;
  bool refuses_steps = false;
  engine_actor engine;
  engine_arguments arguments;

  explicit engine_fixture(pattern kind, std::size_t step_count = 1) {
    arguments.spec.kind = kind;
    arguments.spec.steps = steps(step_count);
    arguments.spec.inputs = {floats("x", {1, 2})};
    arguments.spec.cabinet = kind == pattern::collaborative ? "patients" : "";
    arguments.job_id = "job";
    arguments.deadline_ms = runtime::wall_ms(sys()) + 300'000;
    arguments.job = caf::actor_cast<job_actor>(fake_job());
    arguments.scheduler.set(caf::actor_cast<scheduler_actor>(fake_scheduler()));
    arguments.models.set(caf::actor_cast<models_actor>(fake_models()));
  }

  void start() {
    engine = sys().spawn(actors::engine, arguments);
    run();
  }

  caf::actor fake_job() {
    return fake<caf::actor>(
      [this](const execution_changed& news) { changes.push_back(news); },
      [this](const engine_finished& news) { finished.push_back(news); },
      [this](const engine_failed& news) { failed.push_back(news); },
      [this](const straggler_scored& news) { scored.push_back(news); },
      [this](engine_done) { ++done; },
      [this](const save_step& request) -> caf::result<step_saved> {
        saves.push_back(request);
        if (refuses_steps)
          return runtime::to_error(error_code::store_full, "the disk is full");
        return step_saved{request.step};
      });
  }

  caf::actor fake_scheduler() {
    return fake<caf::actor>(
      [this](const place_executions& wish) { groups.push_back(wish); },
      [this](const withdraw_execution& wish) { withdrawn.push_back(wish.execution_id); },
      [](const find_cabinet&) { return cabinet_nodes{{"b", "a"}, {}}; });
  }

  caf::actor fake_models() {
    return fake<caf::actor>(
      [](const find_model& question) -> caf::result<model_entry> {
        if (question.name == "unknown")
          return runtime::to_error(error_code::model_not_found, "no such model");
        model_entry entry;
        entry.spec = model_of(2, 2);
        return entry;
      },
      [this](const fetch_chunk& wish) -> caf::result<chunk> {
        if (wish.digest != stored.digest)
          return runtime::to_error(error_code::not_found, "no such blob");
        auto part = stored.data.view().substr(wish.offset, wish.length);
        return chunk{runtime::bytes::copy_of(part), stored.byte_size};
      });
  }

  const execution_request& request(std::size_t group, std::size_t index = 0) const {
    return groups.at(group).group.at(index);
  }

  void end(const execution_request& what, const std::string& node,
           const models::tensor_list& outputs) {
    execution_ended news;
    news.execution_id = what.execution_id;
    news.node_id = node;
    news.outputs = outputs;
    news.rows = 1;
    news.result_digest = models::canonical_digest(outputs);
    send(engine, news);
  }

  void break_down(const execution_request& what, const std::string& node, error_code code) {
    execution_ended news;
    news.execution_id = what.execution_id;
    news.node_id = node;
    news.error = {code, "broken", {}};
    send(engine, news);
  }

  /// The one failure, whose engine has quit.
  error_code failure_code() {
    CHECK(done == 1);
    CHECK_FALSE(is_alive(engine));
    return failed.size() == 1 && finished.empty() ? failed[0].error.code : error_code::none;
  }
};

}  // namespace

TEST_CASE("ENGINE places an execution, tells of its changes, its result, and quits") {
  engine_fixture f{pattern::single};
  f.start();
  REQUIRE(f.groups.size() == 1);
  CHECK(f.groups[0].time_left_ms == 300'000);
  f.advance(1'500);
  f.send(f.engine, execution_placed{f.request(0).execution_id, "a", "", {}});
  f.send(f.engine, execution_running{f.request(0).execution_id, "cpu:0"});
  f.end(f.request(0), "a", scores({1, 2}));
  REQUIRE(f.changes.size() == 3);
  CHECK(f.changes[0].record.state == execution_state::scheduled);
  CHECK(f.changes[1].record.device == "cpu:0");
  CHECK(f.changes[2].record.completed_at - f.changes[2].record.scheduled_at == 1'500);
  REQUIRE(f.finished.size() == 1);
  CHECK(f.finished[0].result.outputs == scores({1, 2}));
  CHECK(f.done == 1);
  CHECK_FALSE(f.is_alive(f.engine));
}

TEST_CASE("ENGINE waits out the pause before a retry, and sends what is left of the time") {
  engine_fixture f{pattern::single};
  f.start();
  f.break_down(f.request(0), "a", error_code::node_lost);
  f.advance(50);
  CHECK(f.groups.size() == 1);
  f.advance(150);
  REQUIRE(f.groups.size() == 2);
  CHECK(f.request(1).exclude == std::vector<std::string>{"a"});
  CHECK(f.groups[1].time_left_ms < 300'000);
  CHECK(f.groups[1].time_left_ms >= 299'800);
  f.end(f.request(1), "b", scores({1}));
  CHECK(f.finished.size() == 1);
}

TEST_CASE("ENGINE fails a job with timeout when nothing is heard of it until its time is over") {
  engine_fixture f{pattern::single};
  f.start();
  f.advance(299'800);
  CHECK(f.failed.empty());
  f.advance(200);
  CHECK(f.failure_code() == error_code::timeout);
  CHECK(f.withdrawn == std::vector<std::string>{f.request(0).execution_id});
}

TEST_CASE("ENGINE of a job whose time is over before it starts asks for nothing") {
  engine_fixture f{pattern::chained, 2};
  f.arguments.deadline_ms = runtime::wall_ms(f.sys()) - 1;
  f.start();
  CHECK(f.groups.empty());
  CHECK(f.failure_code() == error_code::timeout);
}

TEST_CASE("an ENGINE that has ended is soon forgotten by the timers") {
  engine_fixture f{pattern::single};
  f.start();
  f.end(f.request(0), "a", scores({1}));
  f.advance(1'100);
  CHECK(f.timers() == 0);
}

TEST_CASE("a stopped ENGINE withdraws everything, says that it is done, and quits") {
  engine_fixture f{pattern::replicated};
  f.start();
  f.send(f.engine, execution_placed{f.request(0, 1).execution_id, "a", "", {}});
  f.send(f.engine, stop_engine{});
  CHECK(f.withdrawn.size() == 3);
  CHECK(f.changes.back().record.state == execution_state::cancelled);
  CHECK(f.finished.empty());
  CHECK(f.failed.empty());
  CHECK(f.done == 1);
  CHECK_FALSE(f.is_alive(f.engine));
}

TEST_CASE("an ENGINE whose JOB has ended, in whatever way, withdraws everything and quits") {
  for (auto reason : {caf::exit_reason::normal, caf::exit_reason::unhandled_exception,
                      caf::exit_reason::user_shutdown, caf::exit_reason::kill}) {
    CAPTURE(caf::to_string(reason));
    engine_fixture f{pattern::replicated};
    auto parent = f.sys().spawn([&f](caf::event_based_actor* self) -> caf::behavior {
      f.engine = self->spawn<caf::linked>(actors::engine, f.arguments);
      self->set_exit_handler([self](const caf::exit_msg& wish) { self->quit(wish.reason); });
      return {[](int) {}};
    });
    f.run();
    REQUIRE(f.groups.size() == 1);
    f.kill(parent, reason);
    CHECK(f.withdrawn.size() == 3);
    CHECK_FALSE(f.is_alive(f.engine));
  }
}

TEST_CASE("consensus of two ends a replicated job, and the third is scored before ENGINE quits") {
  engine_fixture f{pattern::replicated};
  f.start();
  for (std::size_t index = 0; index < 3; ++index)
    f.send(f.engine, execution_placed{f.request(0, index).execution_id,
                                      std::string(1, "abc"[index]), "", {}});
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
    f.send(f.engine, execution_placed{f.request(0, index).execution_id,
                                      std::string(1, "abc"[index]), "", {}});
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

TEST_CASE("a model that is no longer in the catalogue fails the job") {
  engine_fixture f{pattern::comparative, 3};
  f.arguments.spec.steps[1].model = "unknown";
  f.start();
  CHECK(f.groups.empty());
  CHECK(f.failure_code() == error_code::model_not_found);
}

TEST_CASE("ENGINE fails with unavailable when the services it needs are away") {
  engine_fixture no_models{pattern::comparative, 2};
  no_models.arguments.models.clear();
  no_models.start();
  CHECK(no_models.failure_code() == error_code::unavailable);
  engine_fixture no_holders{pattern::collaborative};
  no_holders.arguments.scheduler.clear();
  no_holders.start();
  CHECK(no_holders.failure_code() == error_code::unavailable);
}

TEST_CASE("ENGINE tries again when SCHEDULER is away for a moment") {
  engine_fixture f{pattern::single};
  auto scheduler = f.arguments.scheduler.get();
  f.arguments.scheduler.clear();
  f.start();
  CHECK(f.groups.empty());
  f.arguments.scheduler.set(scheduler);
  f.advance(200);
  REQUIRE(f.groups.size() == 1);
  CHECK(f.request(0).attempt == 2);
  f.end(f.request(0), "a", scores({1}));
  CHECK(f.finished.size() == 1);
}

TEST_CASE("engines of one system make different execution ids, epochs of a job too") {
  std::vector<std::string> ids;
  for (std::uint32_t count = 0; count < 4; ++count) {
    engine_fixture f{pattern::single};
    f.arguments.job_id = count < 2 ? "one" : "two";
    f.arguments.epoch = count % 2;
    f.start();
    ids.push_back(f.request(0).execution_id);
  }
  std::sort(ids.begin(), ids.end());
  CHECK(std::unique(ids.begin(), ids.end()) == ids.end());
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
