// The orchestrator's real actors over a real store, in one thread under virtual time, with fake
// nodes.
#include "tests/actors/orchestrator_fixture.hpp"

using namespace dim;
using namespace dim::actors;
using tests::orchestrator_fixture;
using tests::seconds;

TEST_CASE("a job goes from its submission to its stored result, and leaves no actor behind") {
  orchestrator_fixture f;
  f.add_node("n1");
  auto id = f.submit(f.job_of());
  f.advance(1 * seconds);
  auto view = f.view(id);
  CHECK(view.record.state == job_state::completed);
  CHECK(view.record.spec.steps[0].version == "1");
  CHECK(view.record.started_at >= view.record.submitted_at);
  REQUIRE(view.has_result);
  CHECK(view.result.outputs.size() == 1);
  auto executions = f.executions(id);
  REQUIRE(executions.size() == 1);
  CHECK(executions[0].state == execution_state::completed);
  CHECK(executions[0].placement.size() == 1);
  CHECK(f.count_actors("JOB") == 0);
  CHECK(f.count_actors("ENGINE") == 0);
}

TEST_CASE("events of a job are numbered without gaps") {
  orchestrator_fixture f;
  f.add_node("n1");
  for (int index = 0; index < 5; ++index)
    f.submit(f.job_of());
  f.advance(1 * seconds);
  auto events = f.ask<event_list>(f.events.get(), read_events{0, 1'000}).value().events;
  REQUIRE(events.size() > 20);
  for (std::size_t index = 0; index < events.size(); ++index)
    CHECK(events[index].number == index + 1);
}

TEST_CASE("an unknown model and inputs that do not fit are refused, and nothing is stored") {
  orchestrator_fixture f;
  auto job = f.job_of();
  job.spec.steps[0].model = "nobody";
  CHECK(f.ask<submit_result>(f.dispatcher, job).error().code
        == runtime::error_code::model_not_found);
  job = f.job_of();
  job.spec.inputs[0].shape = {1, 3};
  auto answer = f.ask<submit_result>(f.dispatcher, job);
  CHECK(answer.error().code == runtime::error_code::bad_input);
  CHECK_FALSE(answer.error().details.empty());
  CHECK(f.ask<job_page>(f.services.queries.get(), list_jobs{})->jobs.empty());
}

TEST_CASE("one idempotency key makes one job, and another body under it is a conflict") {
  orchestrator_fixture f;
  auto job = f.job_of();
  job.idempotency_key = "key";
  job.body_digest = "one";
  auto first = f.ask<submit_result>(f.dispatcher, job).value();
  auto second = f.ask<submit_result>(f.dispatcher, job).value();
  CHECK(first.id == second.id);
  CHECK_FALSE(first.existed);
  CHECK(second.existed);
  job.body_digest = "two";
  CHECK(f.ask<submit_result>(f.dispatcher, job).error().code == runtime::error_code::conflict);
  CHECK(f.ask<job_page>(f.services.queries.get(), list_jobs{})->jobs.size() == 1);
}

TEST_CASE("more pending jobs than the limit are refused as overloaded") {
  orchestrator_fixture f;
  for (int index = 0; index < 20; ++index)
    f.submit(f.job_of());
  CHECK(f.ask<submit_result>(f.dispatcher, f.job_of()).error().code
        == runtime::error_code::overloaded);
}

TEST_CASE("a cancelled job stays cancelled, whatever its node answers later") {
  orchestrator_fixture f;
  f.nodes_answer = false;
  f.add_node("n1");
  auto id = f.submit(f.job_of());
  f.advance(100);
  REQUIRE(f.orders.size() == 1);
  auto cancelled = f.ask<job_status>(f.dispatcher, cancel_job{id});
  REQUIRE(cancelled.has_value());
  CHECK(cancelled->state == job_state::cancelled);
  f.answer("n1", f.orders[0]);
  f.advance(1 * seconds);
  CHECK(f.view(id).record.state == job_state::cancelled);
  CHECK(f.ask<job_status>(f.dispatcher, cancel_job{id}).error().code
        == runtime::error_code::conflict);
  CHECK(f.ask<job_status>(f.dispatcher, cancel_job{"no such job"}).error().code
        == runtime::error_code::not_found);
}

TEST_CASE("a job past its time fails with timeout") {
  orchestrator_fixture f;
  f.nodes_answer = false;
  f.add_node("n1");
  auto job = f.job_of();
  job.spec.timeout_ms = 5 * seconds;
  auto id = f.submit(job);
  f.advance(6 * seconds);
  CHECK(f.view(id).record.state == job_state::failed);
  CHECK(f.view(id).record.error.code == runtime::error_code::timeout);
}

TEST_CASE("the loss of a node moves its execution to another node") {
  orchestrator_fixture f;
  f.nodes_answer = false;
  auto first = f.add_node("n1");
  auto id = f.submit(f.job_of());
  f.advance(100);
  REQUIRE(f.orders.size() == 1);
  f.nodes_answer = true;
  f.add_node("n2");
  f.kill(first);
  f.advance(2 * seconds);
  CHECK(f.view(id).record.state == job_state::completed);
  auto executions = f.executions(id);
  REQUIRE(executions.size() == 2);
  CHECK(executions[0].state == execution_state::lost);
  CHECK(executions[1].node_id == "n2");
}

TEST_CASE("a replicated job rewards its three nodes once") {
  orchestrator_fixture f;
  for (auto id : {"n1", "n2", "n3"})
    f.add_node(id);
  auto id = f.submit(f.job_of(pattern::replicated));
  f.advance(2 * seconds);
  auto view = f.view(id);
  INFO(view.record.error.message);
  REQUIRE(view.record.state == job_state::completed);
  CHECK(view.result.verified.reached);
  CHECK(f.count_events(id, "execution_completed") == 3);
  auto nodes = f.ask<node_list>(f.services.registry.get(), list_nodes{}).value().nodes;
  for (auto& node : nodes)
    CHECK(double(node.reputation) == 105.0);
}

TEST_CASE("whoever waits for a job hears of its end at once, or that the wait is over") {
  orchestrator_fixture f;
  f.nodes_answer = false;
  f.add_node("n1");
  auto id = f.submit(f.job_of());
  auto patient = f.request<job_status>(f.dispatcher, await_job{id, 60 * seconds});
  auto hasty = f.request<job_status>(f.dispatcher, await_job{id, 1 * seconds});
  f.advance(2 * seconds);
  REQUIRE(hasty->has_value());
  CHECK_FALSE(patient->has_value());
  f.answer("n1", f.orders[0]);
  f.run();
  REQUIRE(patient->has_value());
  CHECK((*patient)->value().state == job_state::completed);
}

TEST_CASE("a job whose actor crashes is rebuilt three times, then fails as internal") {
  orchestrator_fixture f;
  std::vector<caf::actor> engines;
  auto tap = f.sys().spawn([&engines](caf::event_based_actor* self) -> caf::behavior {
    return {[&engines, self](const place_executions&) {
      engines.push_back(caf::actor_cast<caf::actor>(self->current_sender()));
    }};
  });
  f.services.scheduler.set(caf::actor_cast<scheduler_actor>(tap));
  auto id = f.submit(f.job_of());
  for (std::size_t crash = 1; crash <= 4; ++crash) {
    CHECK(f.view(id).record.state != job_state::failed);
    REQUIRE(engines.size() == crash);
    f.kill(engines.back());
    f.advance(1 * seconds);
  }
  CHECK(f.view(id).record.error.code == runtime::error_code::internal);
  CHECK(f.count_actors("JOB") == 0);
}
