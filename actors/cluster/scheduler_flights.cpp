// The second half of SCHEDULER: executions that nodes have in hand, and the nodes themselves.
#include <algorithm>

#include "actors/cluster/canary.hpp"
#include "actors/cluster/result_fetch.hpp"
#include "actors/cluster/scheduler.hpp"
#include "actors/type_ids.hpp"
#include "runtime/log.hpp"

namespace dim::actors {

namespace {

/// How long an execution that has ended counts as one that is about to be stored.
constexpr std::int64_t unstored_max_ms = 60'000;

bool any_detached(const models::tensor_list& outputs) {
  for (auto& output : outputs)
    if (output.is_detached())
      return true;
  return false;
}

}  // namespace

void scheduler_state::note_started(const execution_started& news) {
  auto found = flights.find(news.execution_id);
  if (found == flights.end() || found->second.order.epoch != news.epoch
      || found->second.incarnation != news.incarnation)
    return;
  found->second.device = news.device;
  self->send(found->second.engine, execution_running{news.execution_id, news.device});
}

void scheduler_state::note_finished(execution_finished& news) {
  auto found = flights.find(news.execution_id);
  if (found == flights.end()) {
    // Its job may be about to store it, or still be on its way back after a restart.
    if (!unstored.contains(news.execution_id) && is_adoption_over())
      acknowledge(news.node_id, news.execution_id, news.epoch);
    return;
  }
  auto& entry = found->second;
  // It is asked for again when its node has joined, or all of it is on its way already.
  if (entry.incarnation == 0 || entry.fetching)
    return;
  if (entry.order.epoch != news.epoch || entry.node_id != news.node_id
      || entry.incarnation != news.incarnation) {
    acknowledge(news.node_id, news.execution_id, news.epoch);
    return;
  }
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
  if (found == flights.end() || !found->second.fetching)
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
  unstored[answer.execution_id] = now_ms() + unstored_max_ms;
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

scheduler_state::flight scheduler_state::take_out(flight_map::iterator position) {
  auto entry = std::move(position->second);
  auto flown = flights_at.find(entry.node_id);
  if (flown != flights_at.end() && flown->second.erase(position->first) > 0) {
    auto& node = nodes.at(entry.node_id);
    node.in_flight -= std::min(node.in_flight, 1u);
    if (flown->second.empty())
      flights_at.erase(flown);
  }
  flights.erase(position);
  return entry;
}

void scheduler_state::cancel_at_node(const flight& entry) {
  auto handle = handles.find(entry.node_id);
  if (entry.incarnation == 0 || handle == handles.end())
    return;
  ++nodes.at(entry.node_id).cancelled;
  self->send(handle->second, cancel_execution{entry.order.execution_id, entry.order.epoch});
}

void scheduler_state::drop_flight(const std::string& execution_id) {
  auto found = flights.find(execution_id);
  cancel_at_node(found->second);
  take_out(found);
}

void scheduler_state::end_flight_as(const std::string& execution_id, runtime::error_code code,
                                    std::string why) {
  execution_ended ending;
  ending.error = {code, std::move(why), {}};
  end_flight(execution_id, std::move(ending));
}

void scheduler_state::end_flight(const std::string& execution_id, execution_ended ending) {
  auto entry = take_out(flights.find(execution_id));
  ending.execution_id = execution_id;
  ending.node_id = entry.node_id;
  auto code = ending.error.code;
  if (auto registry = arguments.registry.get())
    self->send(registry, execution_counted{entry.node_id, code == runtime::error_code::none, code,
                                           entry.order.model, entry.order.version});
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
  auto has_joined = news.handle && (handles[id] != news.handle
                                    || node.record.incarnation != news.record.incarnation);
  auto changed = has_joined || node.record.state != news.record.state;
  node.record = std::move(news.record);
  node.capacity = slots_of(node.record.facts) * arguments.options.executions_per_slot;
  if (has_joined) {
    handles[id] = std::move(news.handle);
    node.cancelled = 0;
    for (auto& [execution_id, entry] : flights)
      if (entry.node_id == id && entry.incarnation == 0)
        take_off(entry);
  }
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
    strangers_at.erase(news.node_id);
  }
  auto flown = flights_at.find(news.node_id);
  if (flown == flights_at.end())
    return;
  const auto in_hand = flown->second;
  for (auto& id : in_hand)
    if (flights.at(id).incarnation == news.incarnation)
      end_flight_as(id, runtime::error_code::node_lost, news.reason);
}

}  // namespace dim::actors
