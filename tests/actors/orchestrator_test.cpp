// The orchestrator's real actors over a real store, in one thread under virtual time, with fake
// nodes.
#include <algorithm>

#include <doctest/doctest.h>

#include "actors/cluster/registry.hpp"
#include "actors/cluster/scheduler.hpp"
#include "actors/job/dispatcher.hpp"
#include "actors/store/event_log.hpp"
#include "actors/store/job_store.hpp"
#include "actors/store/queries.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace dim;
using namespace dim::actors;

namespace {

constexpr auto seconds = 1'000;

struct orchestrator_fixture : tests::actor_fixture {
  tests::temporary_folder folder;
  database_pointer database;
  job_services services;
  runtime::service<events_actor> events;
  dispatcher_actor dispatcher;
  /// What every fake node was given, and whether it answers at once.
  std::vector<run_execution> orders;
  bool nodes_answer = true;

  orchestrator_fixture() {
    start();
  }

  void start() {
    database = open_database(folder.path() / "store", {}).value();
    auto disk = make_store_arguments({});
    disk.database = database;
    disk.blobs = std::make_shared<runtime::blob_store>(
      runtime::blob_store::open(folder.path() / "blobs", false).value());
    disk.events = events;
    services.store.set(sys().spawn(job_store, disk));
    services.queries.set(sys().spawn(queries, database));
    events.set(sys().spawn(event_log, event_log_arguments{database, 1'000}));
    services.models.set(make_catalogue());
    registry_arguments members;
    members.cluster = "test";
    members.scheduler = services.scheduler;
    members.store = services.store;
    members.queries = services.queries;
    services.registry.set(sys().spawn(registry, members));
    services.scheduler.set(
      sys().spawn(actors::scheduler, scheduler_arguments{{}, services.registry}));
    dispatcher_arguments arguments;
    arguments.options.pending_jobs_max = 20;
    arguments.services = services;
    dispatcher = sys().spawn(actors::dispatcher, arguments);
    run();
  }

  /// Ends every actor as a crash would, and starts again on the same disk.
  void restart() {
    kill(dispatcher);
    kill(services.scheduler.get());
    kill(services.registry.get());
    kill(services.queries.get());
    kill(services.store.get());
    kill(events.get());
    services = {};
    events.clear();
    database.reset();
    start();
  }

  models_actor make_catalogue() {
    auto catalogue = sys().spawn([](caf::event_based_actor*) -> caf::behavior {
      return {[](const find_model& wish) -> caf::result<model_entry> {
        if (wish.name == "nobody")
          return runtime::to_error(runtime::error_code::model_not_found, "there is no such model");
        model_entry result{wish.name, "1", std::string(64, 'a'), 10, 0, {}};
        result.spec.name = wish.name;
        result.spec.max_batch_size = 8;
        result.spec.inputs = {{"x", models::datatype::fp32, {2}, {}}};
        result.spec.outputs = {{"y", models::datatype::fp32, {2}, {}}};
        return result;
      }};
    });
    return caf::actor_cast<models_actor>(catalogue);
  }

  node_actor add_node(const std::string& id) {
    auto handle = fake<node_actor>(
      [this, id](const run_execution& order) {
        orders.push_back(order);
        if (nodes_answer)
          answer(id, order);
      },
      [](const acknowledge_execution&) {}, [](const cancel_execution&) {}, [](rejoin_cluster) {},
      [](const fetch_chunk&) { return chunk{}; });
    join_cluster join;
    join.cluster = "test";
    join.incarnation = 1;
    join.facts.id = id;
    join.facts.name = id;
    join.facts.cpu_cores = 2;
    join.facts.memory_bytes = 4'000'000'000;
    join.facts.devices = {{"cpu:0", "cpu", "", 1, 0, 2}};
    join.handle = handle;
    CHECK(ask<join_accepted>(services.registry.get(), join).has_value());
    return handle;
  }

  void answer(const std::string& node_id, const run_execution& order) {
    execution_finished news;
    news.node_id = node_id;
    news.incarnation = 1;
    news.execution_id = order.execution_id;
    news.epoch = order.epoch;
    news.outputs = {models::make_tensor("y", models::datatype::fp32, {1, 2}, std::vector<char>(8))};
    news.device = "cpu:0";
    caf::anon_send(services.scheduler.get(),
                   execution_started{node_id, 1, order.execution_id, order.epoch, "cpu:0"});
    caf::anon_send(services.scheduler.get(), std::move(news));
  }

  submit_job job_of(pattern kind = pattern::single) {
    submit_job result;
    result.spec.kind = kind;
    result.spec.steps = {{"m", "", "", 1.0, {}}};
    result.spec.inputs = {
      models::make_tensor("x", models::datatype::fp32, {1, 2}, std::vector<char>(8))};
    return result;
  }

  std::string submit(const submit_job& job) {
    auto answer = ask<submit_result>(dispatcher, job);
    REQUIRE(answer.has_value());
    return answer->id;
  }

  job_view view(const std::string& id) {
    return ask<job_view>(services.queries.get(), get_job{id}).value();
  }

  std::vector<execution_record> executions(const std::string& id) {
    return ask<execution_list>(services.queries.get(), get_executions{id}).value().executions;
  }
};

}  // namespace

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
  auto history = f.ask<event_list>(f.services.queries.get(), get_history{id}).value().events;
  CHECK(std::count_if(history.begin(), history.end(), [](const event& one) {
          return one.kind == "execution_completed";
        }) == 3);
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

TEST_CASE("unfinished jobs go on after a restart, under a new epoch") {
  orchestrator_fixture f;
  f.nodes_answer = false;
  f.add_node("n1");
  auto id = f.submit(f.job_of());
  f.advance(100);
  auto old_order = f.orders.at(0);
  f.restart();
  f.add_node("n1");
  f.advance(1 * seconds);
  REQUIRE(f.orders.size() == 2);
  CHECK(f.orders[1].epoch > old_order.epoch);
  f.answer("n1", old_order);
  f.advance(100);
  CHECK(f.view(id).record.state != job_state::completed);
  f.answer("n1", f.orders[1]);
  f.advance(1 * seconds);
  CHECK(f.view(id).record.state == job_state::completed);
  auto executions = f.executions(id);
  REQUIRE(executions.size() == 2);
  CHECK(executions[0].state == execution_state::lost);
}
