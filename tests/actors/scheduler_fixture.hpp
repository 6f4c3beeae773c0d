#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "actors/cluster/scheduler.hpp"
#include "tests/support/actor_fixture.hpp"

namespace dim::tests {

using namespace dim::actors;

/// A scheduler with fake nodes and a fake engine, each of which keeps what it gets.
struct scheduler_fixture : actor_fixture {
  std::shared_ptr<inbox> engine_box = std::make_shared<inbox>();
  std::shared_ptr<inbox> registry_box = std::make_shared<inbox>();
  std::map<std::string, std::shared_ptr<inbox>> node_box;
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
    node_box[id] = std::make_shared<inbox>();
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

  /// A heartbeat of the node, with what it has in hand.
  void beat(const std::string& node_id, std::vector<work_in_hand> work, bool is_complete = true,
            std::uint64_t incarnation = 1) {
    send(scheduler, node_work{node_id, incarnation, std::move(work), is_complete});
  }

  /// JOB has stored the end of this execution.
  void store(const std::string& id, const std::string& node_id, std::uint32_t epoch = 1) {
    send(scheduler, executions_stored{{{node_id, id, epoch}}});
  }

  std::size_t count_orders(const std::string& node_id) {
    return node_box[node_id]->count<run_execution>();
  }

  std::vector<execution_ended> endings() const {
    return engine_box->all<execution_ended>();
  }
};

}  // namespace dim::tests
