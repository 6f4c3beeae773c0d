// What REGISTRY answers to those who look: lists, one node, and the sums of the cluster.
#include "actors/cluster/registry.hpp"

#include "actors/type_ids.hpp"
#include "runtime/caf_errors.hpp"

namespace dim::actors {

node_list registry_state::all() const {
  node_list result;
  for (auto& [id, node] : nodes)
    result.nodes.push_back(node.record);
  return result;
}

runtime::expected<const registry_state::member*> registry_state::look_up(
  const std::string& id) const {
  if (auto exact = nodes.find(id); exact != nodes.end())
    return &exact->second;
  const member* match = nullptr;
  for (auto& [key, node] : nodes) {
    auto fits = node.record.facts.name == id || (id.size() >= 4 && key.starts_with(id));
    if (!fits)
      continue;
    if (match != nullptr)
      return runtime::fail(runtime::error_code::bad_input, "'" + id + "' names more than one node");
    match = &node;
  }
  if (match == nullptr)
    return runtime::fail(runtime::error_code::not_found, "there is no node '" + id + "'");
  return match;
}

caf::result<node_record> registry_state::find(const std::string& id) const {
  auto found = look_up(id);
  if (!found)
    return runtime::to_error(found.error());
  return (*found)->record;
}

void registry_state::sum_nodes(cluster_status& sums) const {
  sums.cluster = arguments.cluster;
  sums.generation = arguments.generation;
  sums.started_at = started_at;
  for (auto& [id, node] : nodes) {
    auto status = status_of(node.record.state);
    ++(status == "online" ? sums.nodes_online
       : status == "busy" ? sums.nodes_busy
                          : sums.nodes_offline);
    if (status == "offline")
      continue;
    sums.cpu_cores += node.record.facts.cpu_cores;
    sums.memory_bytes += node.record.facts.memory_bytes;
  }
}

caf::result<cluster_status> registry_state::status() {
  auto promise = self->make_response_promise<cluster_status>();
  auto sums = std::make_shared<cluster_status>();
  sum_nodes(*sums);
  auto queries = arguments.queries.get();
  auto scheduler = arguments.scheduler.get();
  if (!queries || !scheduler) {
    promise.deliver(runtime::to_error(runtime::error_code::unavailable, "the cluster is starting"));
    return promise;
  }
  auto refuse = [promise](const caf::error& what) mutable { promise.deliver(what); };
  constexpr auto patience = std::chrono::seconds{5};
  self->request(scheduler, patience, get_schedule{})
    .then(
      [this, promise, sums, queries, refuse](const schedule_status& schedule) mutable {
        sums->executions_waiting = schedule.waiting;
        sums->executions_running = schedule.running;
        sums->placement_paused = schedule.paused;
        self->request(queries, patience, get_totals{})
          .then(
            [promise, sums](const store_totals& totals) mutable {
              sums->jobs_by_state = totals.jobs_by_state;
              sums->executions_total = totals.executions;
              sums->last_event = totals.last_event;
              sums->read_only = totals.read_only;
              sums->store_health = totals.health;
              promise.deliver(std::move(*sums));
            },
            refuse);
      },
      refuse);
  return promise;
}

std::string registry_state::describe() const {
  cluster_status sums;
  sum_nodes(sums);
  return std::to_string(sums.nodes_online) + " online, " + std::to_string(sums.nodes_busy)
         + " busy, " + std::to_string(sums.nodes_offline) + " offline";
}

}  // namespace dim::actors
