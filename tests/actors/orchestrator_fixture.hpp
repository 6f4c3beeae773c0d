#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "actors/cluster/registry.hpp"
#include "actors/cluster/scheduler.hpp"
#include "actors/job/dispatcher.hpp"
#include "actors/store/event_log.hpp"
#include "actors/store/job_store.hpp"
#include "actors/store/queries.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/temporary_folder.hpp"

namespace dim::tests {

using namespace dim::actors;

inline constexpr auto seconds = 1'000;

/// The orchestrator's actors, without ENTRY.
struct orchestrator_fixture : actor_fixture {
  temporary_folder folder;
  database_pointer database;
  job_services services;
  runtime::service<events_actor> events;
  dispatcher_actor dispatcher;
  /// What every fake node was given, and whether it answers at once.
  std::vector<run_execution> orders;
  bool nodes_answer = true;
  std::vector<cancel_execution> cancelled;
  std::vector<acknowledge_execution> acknowledged;

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
      [this](const acknowledge_execution& news) { acknowledged.push_back(news); },
      [this](const cancel_execution& wish) { cancelled.push_back(wish); }, [](rejoin_cluster) {},
      [](const set_draining&) {},
      [](const fetch_chunk&) { return chunk{}; }, [](const run_direct&) { return infer_results{}; },
      [](const withdraw_direct&) {}, [](const set_agents&) { return agents_set{}; });
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

  /// The node's forward has begun.
  void begin(const std::string& node_id, const run_execution& order) {
    send(services.scheduler.get(),
         execution_started{node_id, 1, order.execution_id, order.epoch, "cpu:0"});
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

  /// The first living actor of this name.
  caf::actor actor_named(const std::string& name) {
    for (auto& handle : context().actors.handles()) {
      auto* actor = caf::actor_cast<caf::abstract_actor*>(handle);
      if (auto* local = dynamic_cast<caf::local_actor*>(actor); local && name == local->name())
        return handle;
    }
    return {};
  }

  void beat(const std::string& node_id, std::vector<work_in_hand> work) {
    node_heartbeat news;
    news.node_id = node_id;
    news.incarnation = 1;
    news.work = std::move(work);
    send(services.registry.get(), news);
  }

  std::size_t count_events(const std::string& job_id, const std::string& kind) {
    auto history = ask<event_list>(services.queries.get(), get_history{job_id}).value().events;
    return static_cast<std::size_t>(std::count_if(
      history.begin(), history.end(), [&kind](const event& one) { return one.kind == kind; }));
  }

  std::vector<execution_record> executions(const std::string& id) {
    return ask<execution_list>(services.queries.get(), get_executions{id}).value().executions;
  }
};

}  // namespace dim::tests
