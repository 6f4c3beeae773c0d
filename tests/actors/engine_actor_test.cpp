#include <algorithm>

#include <doctest/doctest.h>

#include "tests/actors/engine_fixture.hpp"

using namespace dim;
using namespace dim::actors;
using namespace dim::tests;
using runtime::error_code;

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
  CHECK(f.request(1).avoid == std::vector<std::string>{"a"});
  CHECK(f.groups[1].time_left_ms < 300'000);
  CHECK(f.groups[1].time_left_ms >= 299'800);
  f.end(f.request(1), "b", scores({1}));
  CHECK(f.finished.size() == 1);
}

TEST_CASE("ENGINE fails a job with timeout when nothing is heard of it until its time is over") {
  engine_fixture f{pattern::single};
  f.start();
  f.advance(299'900);
  CHECK(f.failed.empty());
  f.advance(100);
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

TEST_CASE("an ENGINE whose JOB has ended well withdraws everything, else leaves it to be adopted") {
  for (auto reason : {caf::exit_reason::normal, caf::exit_reason::unhandled_exception,
                      caf::exit_reason::user_shutdown, caf::exit_reason::kill}) {
    CAPTURE(caf::to_string(reason));
    const bool ended_well = reason == caf::exit_reason::normal;
    engine_fixture f{pattern::replicated};
    auto parent = f.sys().spawn([&f](caf::event_based_actor* self) -> caf::behavior {
      f.engine = self->spawn<caf::linked>(actors::engine, f.arguments);
      self->set_exit_handler([self](const caf::exit_msg& wish) { self->quit(wish.reason); });
      return {[](int) {}};
    });
    f.run();
    REQUIRE(f.groups.size() == 1);
    f.kill(parent, reason);
    CHECK(f.withdrawn.size() == (ended_well ? 3 : 0));
    CHECK(f.gone.size() == (ended_well ? 0 : 1));
    if (!ended_well)
      CHECK(f.gone.at(0).executions.size() == 3);
    CHECK_FALSE(f.is_alive(f.engine));
  }
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
