// SCHEDULER and what it did not start itself, or can not be sure of: executions that an earlier
// engine has left at nodes, and messages that were lost on the way.
#include <algorithm>

#include "actors/cluster/scheduler.hpp"
#include "actors/type_ids.hpp"
#include "runtime/log.hpp"

namespace dim::actors {

namespace {

/// Heartbeats in a row that must say the same before it is believed: one of them may have been on
/// its way when an order was.
constexpr std::uint32_t heartbeats_needed = 2;

/// Orders sent again in a row, without a word of the execution, before its node counts as lost.
constexpr std::uint32_t resends_max = 3;

}  // namespace

bool scheduler_state::is_member(const std::string& node_id) const {
  auto node = nodes.find(node_id);
  return handles.contains(node_id) && node != nodes.end()
         && node->second.record.state != node_state::offline;
}

bool scheduler_state::is_adoption_over() const {
  return now_ms() >= started_at + arguments.options.adopt_wait_ms;
}

void scheduler_state::adopt(execution_request& request, engine_actor engine,
                            std::int64_t job_ends_at) {
  unstored.erase(request.execution_id);
  auto [found, is_new] = flights.try_emplace(request.execution_id);
  auto& entry = found->second;
  entry.engine = std::move(engine);
  entry.orphan_until = 0;
  if (!is_new) {
    if (!entry.device.empty())
      self->send(entry.engine, execution_running{request.execution_id, entry.device});
    return;
  }
  entry.order = order_of(request);
  entry.node_id = request.adopted_node;
  entry.job_ends_at = job_ends_at;
  entry.adopt_until = now_ms() + arguments.options.adopt_wait_ms;
  if (is_member(entry.node_id))
    take_off(entry);
}

void scheduler_state::take_off(flight& entry) {
  auto& node = nodes.at(entry.node_id);
  ++node.in_flight;
  flights_at[entry.node_id].insert(entry.order.execution_id);
  entry.incarnation = node.record.incarnation;
  self->send(entry.engine, execution_placed{entry.order.execution_id, entry.node_id,
                                            node.record.facts.owner, {}});
  send_order(entry);
}

void scheduler_state::look_after_adoptions(std::int64_t now) {
  std::vector<std::string> waited;
  std::vector<std::string> orphaned;
  for (auto& [id, entry] : flights) {
    if (entry.orphan_until > 0 && entry.orphan_until <= now)
      orphaned.push_back(id);
    else if (entry.incarnation == 0 && entry.adopt_until <= now)
      waited.push_back(id);
  }
  for (auto& id : waited)
    end_flight_as(id, runtime::error_code::node_lost,
                  "the node did not come back after a restart of the orchestrator");
  for (auto& id : orphaned)
    drop_flight(id);
  if (!orphaned.empty())
    place_waiting();
  std::erase_if(unstored, [now](auto& entry) { return entry.second <= now; });
}

void scheduler_state::note_engine_gone(const engine_gone& news) {
  const auto until = now_ms() + arguments.options.adopt_wait_ms;
  for (auto& id : news.executions) {
    auto flown = flights.find(id);
    if (flown != flights.end() && flown->second.engine->id() == news.engine)
      flown->second.orphan_until = until;
    else if (waiting_key_of.contains(id))
      withdraw(id);
  }
}

void scheduler_state::note_stored(const executions_stored& news) {
  for (auto& one : news.executions) {
    unstored.erase(one.execution_id);
    acknowledge(one.node_id, one.execution_id, one.epoch);
  }
}

void scheduler_state::note_work(const node_work& news) {
  auto node = nodes.find(news.node_id);
  if (!is_member(news.node_id) || node->second.record.incarnation != news.incarnation)
    return;
  const bool was_blocked = node->second.cancelled >= cancelled_max;
  node->second.cancelled = 0;
  std::map<std::string, work_in_hand> named;
  std::set<std::pair<std::string, std::uint32_t>> strangers;
  auto& before = strangers_at[news.node_id];
  for (auto& one : news.work) {
    auto found = flights.find(one.execution_id);
    if (found != flights.end() && found->second.order.epoch == one.epoch
        && found->second.node_id == news.node_id) {
      named.emplace(one.execution_id, one);
      continue;
    }
    if (unstored.contains(one.execution_id) || !is_adoption_over())
      continue;
    if (before.contains({one.execution_id, one.epoch}))
      self->send(handles.at(news.node_id), cancel_execution{one.execution_id, one.epoch});
    strangers.emplace(one.execution_id, one.epoch);
  }
  before = std::move(strangers);
  if (before.empty())
    strangers_at.erase(news.node_id);
  if (news.is_complete)
    resend_unnamed(news.node_id, named);
  if (was_blocked)
    place_waiting();
}

void scheduler_state::resend_unnamed(const std::string& node_id,
                                     const std::map<std::string, work_in_hand>& named) {
  auto flown = flights_at.find(node_id);
  if (flown == flights_at.end())
    return;
  const auto in_hand = flown->second;
  for (auto& id : in_hand) {
    auto& entry = flights.at(id);
    if (auto one = named.find(id); one != named.end()) {
      entry.unnamed = 0;
      entry.resends = 0;
      if (one->second.finished)
        hear_finished(entry);
      continue;
    }
    if (entry.fetching || ++entry.unnamed < heartbeats_needed)
      continue;
    entry.unnamed = 0;
    if (entry.resends++ < resends_max) {
      send_order(entry);
      continue;
    }
    cancel_at_node(entry);
    end_flight_as(id, runtime::error_code::node_lost, "the node knows nothing of it");
  }
}

void scheduler_state::hear_finished(flight& entry) {
  if (entry.fetching || ++entry.finished_unheard < heartbeats_needed)
    return;
  entry.finished_unheard = 0;
  send_order(entry);
}

}  // namespace dim::actors
