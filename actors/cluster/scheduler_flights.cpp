// The second half of SCHEDULER: executions that nodes have in hand, and the nodes themselves.
#include "actors/cluster/scheduler.hpp"

#include "actors/cluster/result_fetch.hpp"
#include "actors/type_ids.hpp"
#include "runtime/digest.hpp"
#include "runtime/log.hpp"

namespace dim::actors {

namespace {

/// What is wrong with the answer's bytes; empty when every attached output has its digest.
std::string damage_of(const models::tensor_list& outputs) {
  for (auto& output : outputs) {
    if (output.is_detached())
      continue;
    if (runtime::sha256_hex(output.data.view()) != output.digest)
      return "output '" + output.name + "' does not have the digest it was sent with";
  }
  return {};
}

bool any_detached(const models::tensor_list& outputs) {
  for (auto& output : outputs)
    if (output.is_detached())
      return true;
  return false;
}

}  // namespace

void scheduler_state::note_started(const execution_started& news) {
  auto found = flights.find(news.execution_id);
  if (found == flights.end() || found->second.epoch != news.epoch
      || found->second.incarnation != news.incarnation)
    return;
  self->send(found->second.engine, execution_running{news.execution_id, news.device});
}

void scheduler_state::note_finished(execution_finished& news) {
  auto found = flights.find(news.execution_id);
  auto is_current = found != flights.end() && found->second.epoch == news.epoch
                    && found->second.node_id == news.node_id
                    && found->second.incarnation == news.incarnation;
  if (!is_current) {
    acknowledge(news.node_id, news.execution_id, news.epoch);
    return;
  }
  auto& entry = found->second;
  if (entry.fetching)
    return;
  entry.answer = std::move(news);
  if (entry.answer.error.code == runtime::error_code::none && any_detached(entry.answer.outputs)) {
    entry.fetching = true;
    self->spawn<caf::linked>(result_fetch, scheduler_actor{self}, handles.at(entry.node_id),
                             entry.answer.execution_id, entry.answer.outputs);
    return;
  }
  note_fetched_answer(entry);
}

void scheduler_state::note_fetched(outputs_fetched& news) {
  auto found = flights.find(news.execution_id);
  if (found == flights.end())
    return;
  auto& entry = found->second;
  if (news.error.code != runtime::error_code::none)
    entry.answer.error = std::move(news.error);
  else
    entry.answer.outputs = std::move(news.outputs);
  note_fetched_answer(entry);
}

void scheduler_state::note_fetched_answer(flight& entry) {
  auto& answer = entry.answer;
  acknowledge(entry.node_id, answer.execution_id, answer.epoch);
  execution_ended ending;
  ending.error = std::move(answer.error);
  ending.rows = answer.rows;
  ending.device = std::move(answer.device);
  ending.logs = std::move(answer.logs);
  ending.killed_agent = answer.killed_agent;
  if (ending.error.code == runtime::error_code::none) {
    if (auto damage = damage_of(answer.outputs); !damage.empty()) {
      ending.error = {runtime::error_code::corrupt, damage, {}};
    } else {
      ending.outputs = std::move(answer.outputs);
      ending.result_digest = models::canonical_digest(ending.outputs);
    }
  }
  auto id = answer.execution_id;
  end_flight(id, std::move(ending));
}

void scheduler_state::end_flight(const std::string& execution_id, execution_ended ending) {
  auto found = flights.find(execution_id);
  auto entry = std::move(found->second);
  flights.erase(found);
  if (auto node = nodes.find(entry.node_id); node != nodes.end() && node->second.in_flight > 0)
    --node->second.in_flight;
  ending.execution_id = execution_id;
  ending.node_id = entry.node_id;
  auto successful = ending.error.code == runtime::error_code::none;
  if (auto registry = arguments.registry.get())
    self->send(registry, execution_counted{entry.node_id, successful});
  self->send(entry.engine, std::move(ending));
  place_waiting();
}

void scheduler_state::acknowledge(const std::string& node_id, const std::string& execution_id,
                                  std::uint32_t epoch) {
  if (auto handle = handles.find(node_id); handle != handles.end())
    self->send(handle->second, acknowledge_execution{execution_id, epoch});
}

void scheduler_state::update_node(node_updated& news) {
  auto id = news.record.facts.id;
  auto& node = nodes[id];
  auto changed = news.handle || node.record.state != news.record.state;
  node.record = std::move(news.record);
  node.capacity = slots_of(node.record.facts) * arguments.options.executions_per_slot;
  if (news.handle)
    handles[id] = std::move(news.handle);
  if (changed)
    unpark_all();
  if (!queue.empty())
    place_waiting();
}

void scheduler_state::lose_node(const node_lost& news) {
  auto node = nodes.find(news.node_id);
  if (node != nodes.end() && node->second.record.incarnation == news.incarnation) {
    node->second.record.state = node_state::offline;
    handles.erase(news.node_id);
  }
  std::vector<std::string> lost;
  for (auto& [id, entry] : flights)
    if (entry.node_id == news.node_id && entry.incarnation == news.incarnation)
      lost.push_back(id);
  for (auto& id : lost) {
    execution_ended ending;
    ending.error = {runtime::error_code::node_lost, news.reason, {}};
    end_flight(id, std::move(ending));
  }
}

}  // namespace dim::actors
