// The orchestrator with work at its nodes, and what becomes of that work when it, or a part of it,
// crashes, and when messages are lost.
#include "tests/actors/orchestrator_fixture.hpp"

using namespace dim;
using namespace dim::actors;
using tests::orchestrator_fixture;
using tests::seconds;

namespace {

work_in_hand hold(const run_execution& order, bool finished = false) {
  return {order.execution_id, order.epoch, finished};
}

}  // namespace

TEST_CASE("work in hand is taken up after a restart: the same order goes to the same node") {
  orchestrator_fixture f;
  f.nodes_answer = false;
  f.add_node("n1");
  f.add_node("n2");
  auto id = f.submit(f.job_of());
  f.advance(100);
  REQUIRE(f.orders.size() == 1);
  auto first = f.orders[0];
  auto node = f.executions(id).at(0).node_id;
  f.begin(node, first);
  f.restart();
  CHECK(f.count_actors("JOB") == 1);
  f.add_node(node == "n1" ? "n2" : "n1");
  f.advance(1 * seconds);
  // Another node is there, and is not asked.
  CHECK(f.orders.size() == 1);
  f.add_node(node);
  REQUIRE(f.orders.size() == 2);
  CHECK(f.orders[1].execution_id == first.execution_id);
  CHECK(f.orders[1].epoch == first.epoch);
  f.answer(node, f.orders[1]);
  f.advance(1 * seconds);
  CHECK(f.view(id).record.state == job_state::completed);
  CHECK(f.view(id).record.epoch > first.epoch);
  auto executions = f.executions(id);
  REQUIRE(executions.size() == 1);
  CHECK(executions[0].state == execution_state::completed);
  CHECK(executions[0].attempt == 1);
  CHECK(executions[0].placement.size() == 2);
  CHECK(f.count_events(id, "execution_started") == 1);
  CHECK(f.count_events(id, "execution_completed") == 1);
}

TEST_CASE("a result that a node finished while the orchestrator was away is taken") {
  orchestrator_fixture f;
  f.nodes_answer = false;
  f.add_node("n1");
  auto id = f.submit(f.job_of());
  f.advance(100);
  auto order = f.orders.at(0);
  f.restart();
  // It comes before its job has asked for it: it is neither taken nor acknowledged, and comes
  // again.
  f.answer("n1", order);
  f.add_node("n1");
  CHECK(f.acknowledged.empty());
  f.answer("n1", order);
  f.advance(100);
  CHECK(f.view(id).record.state == job_state::completed);
  CHECK(f.executions(id).size() == 1);
  CHECK(f.acknowledged.size() == 1);
}

TEST_CASE("what was in hand at a node that does not come back is lost, and runs elsewhere") {
  orchestrator_fixture f;
  f.nodes_answer = false;
  f.add_node("n1");
  auto id = f.submit(f.job_of());
  f.advance(100);
  f.restart();
  f.nodes_answer = true;
  f.advance(14 * seconds);
  f.add_node("n2");
  CHECK(f.view(id).record.state != job_state::completed);
  f.advance(3 * seconds);
  CHECK(f.view(id).record.state == job_state::completed);
  auto executions = f.executions(id);
  REQUIRE(executions.size() == 2);
  CHECK(executions[0].state == execution_state::lost);
  CHECK(executions[1].node_id == "n2");
  CHECK(executions[1].attempt == 2);
}

TEST_CASE("a job that waits for a node goes on waiting after a restart") {
  orchestrator_fixture f;
  auto id = f.submit(f.job_of());
  f.restart();
  f.add_node("n1");
  f.advance(1 * seconds);
  CHECK(f.view(id).record.state == job_state::completed);
}

TEST_CASE("answers of a replicated job that came before a restart count after it") {
  orchestrator_fixture f;
  f.nodes_answer = false;
  for (auto id : {"n1", "n2", "n3"})
    f.add_node(id);
  auto id = f.submit(f.job_of(pattern::replicated));
  f.advance(100);
  REQUIRE(f.orders.size() == 3);
  auto records = f.executions(id);
  auto order_of = [&f](const execution_record& record) {
    return *std::find_if(f.orders.begin(), f.orders.end(), [&record](auto& order) {
      return order.execution_id == record.id;
    });
  };
  f.answer(records[0].node_id, order_of(records[0]));
  f.advance(100);
  CHECK(f.acknowledged.size() == 1);
  f.restart();
  f.add_node(records[0].node_id);
  f.advance(1 * seconds);
  CHECK(f.orders.size() == 3);
  f.add_node(records[1].node_id);
  REQUIRE(f.orders.size() == 4);
  f.answer(records[1].node_id, f.orders[3]);
  f.advance(1 * seconds);
  CHECK(f.view(id).record.state == job_state::completed);
  CHECK(f.view(id).result.verified.votes == 2);
  CHECK(f.count_events(id, "execution_completed") == 2);
  f.add_node(records[2].node_id);
  REQUIRE(f.orders.size() == 5);
  f.answer(records[2].node_id, f.orders[4]);
  f.advance(1 * seconds);
  CHECK(f.count_events(id, "straggler_scored") == 1);
  CHECK(f.executions(id).size() == 3);
  CHECK(f.count_actors("JOB") == 0);
}

TEST_CASE("a node is told to forget a result only when the result is on disk") {
  orchestrator_fixture f;
  f.nodes_answer = false;
  f.add_node("n1");
  auto id = f.submit(f.job_of());
  f.advance(100);
  auto store = f.services.store.get();
  auto stalled = f.sys().spawn([](caf::event_based_actor* self) -> caf::behavior {
    return {[self](const commit_changes&) { return self->make_response_promise<commit_result>(); }};
  });
  f.services.store.set(caf::actor_cast<store_actor>(stalled));
  f.answer("n1", f.orders.at(0));
  f.advance(100);
  CHECK(f.acknowledged.empty());
  f.services.store.set(store);
  f.restart();
  f.add_node("n1");
  REQUIRE(f.orders.size() == 2);
  CHECK(f.orders[1].execution_id == f.orders[0].execution_id);
  f.answer("n1", f.orders[1]);
  f.advance(100);
  CHECK(f.view(id).record.state == job_state::completed);
  CHECK(f.acknowledged.size() == 1);
  CHECK(f.executions(id).size() == 1);
}

TEST_CASE("a job whose actor crashes goes on with what is at its nodes, and nothing runs twice") {
  orchestrator_fixture f;
  f.nodes_answer = false;
  f.add_node("n1");
  auto id = f.submit(f.job_of());
  f.advance(100);
  f.kill(f.actor_named("ENGINE"));
  f.advance(1 * seconds);
  CHECK(f.count_actors("ENGINE") == 1);
  CHECK(f.orders.size() == 1);
  CHECK(f.cancelled.empty());
  f.answer("n1", f.orders[0]);
  f.advance(1 * seconds);
  CHECK(f.view(id).record.state == job_state::completed);
  CHECK(f.executions(id).size() == 1);
  f.advance(30 * seconds);
  CHECK(f.cancelled.empty());
}

TEST_CASE("jobs end with their dispatcher, and its successor takes them up") {
  orchestrator_fixture f;
  f.nodes_answer = false;
  f.add_node("n1");
  auto id = f.submit(f.job_of());
  f.advance(100);
  f.kill(f.dispatcher);
  CHECK(f.count_actors("JOB") == 0);
  CHECK(f.count_actors("ENGINE") == 0);
  dispatcher_arguments arguments;
  arguments.services = f.services;
  f.dispatcher = f.sys().spawn(actors::dispatcher, arguments);
  f.run();
  CHECK(f.count_actors("JOB") == 1);
  f.answer("n1", f.orders.at(0));
  f.advance(1 * seconds);
  CHECK(f.orders.size() == 1);
  CHECK(f.view(id).record.state == job_state::completed);
}

TEST_CASE("a scheduler that crashes hears of the nodes again, and takes up what they have") {
  orchestrator_fixture f;
  f.nodes_answer = false;
  f.add_node("n1");
  auto id = f.submit(f.job_of());
  f.advance(100);
  f.kill(f.dispatcher);
  f.kill(f.services.scheduler.get());
  f.services.scheduler.set(
    f.sys().spawn(actors::scheduler, scheduler_arguments{{}, f.services.registry}));
  dispatcher_arguments arguments;
  arguments.services = f.services;
  f.dispatcher = f.sys().spawn(actors::dispatcher, arguments);
  f.run();
  f.beat("n1", {hold(f.orders.at(0))});
  REQUIRE(f.orders.size() == 2);
  CHECK(f.orders[1].execution_id == f.orders[0].execution_id);
  f.answer("n1", f.orders[1]);
  f.advance(1 * seconds);
  CHECK(f.view(id).record.state == job_state::completed);
}

TEST_CASE("a lost order is sent again, and work that nobody wants any more is cancelled") {
  orchestrator_fixture f;
  f.nodes_answer = false;
  f.add_node("n1");
  auto id = f.submit(f.job_of());
  f.advance(100);
  auto order = f.orders.at(0);
  f.beat("n1", {});
  CHECK(f.orders.size() == 1);
  f.beat("n1", {});
  CHECK(f.orders.size() == 2);
  CHECK(f.ask<job_status>(f.dispatcher, cancel_job{id}).has_value());
  CHECK(f.cancelled.size() == 1);
  for (int beats = 0; beats < 20; ++beats) {
    f.advance(1 * seconds);
    f.beat("n1", {hold(order)});
  }
  CHECK(f.cancelled.size() > 1);
  CHECK(f.cancelled.back().execution_id == order.execution_id);
}

TEST_CASE("a job that crashed too often leaves no execution that seems to run") {
  orchestrator_fixture f;
  f.nodes_answer = false;
  f.add_node("n1");
  auto id = f.submit(f.job_of());
  for (int crash = 0; crash < 4; ++crash) {
    f.advance(100);
    f.kill(f.actor_named("ENGINE"));
  }
  f.advance(1 * seconds);
  CHECK(f.view(id).record.error.code == runtime::error_code::internal);
  REQUIRE(f.executions(id).size() == 1);
  CHECK(f.executions(id)[0].state == execution_state::lost);
  CHECK(f.cancelled.size() == 1);
}
