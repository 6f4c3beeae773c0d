// NODE as a member: join, heartbeat, results until they are acknowledged.
#include <algorithm>
#include <limits>

#include "actors/node/node.hpp"
#include "actors/type_ids.hpp"
#include "runtime/log.hpp"
#include "runtime/restart_policy.hpp"

namespace dim::actors {

namespace {

/// Results that are sent again in one go.
constexpr std::size_t results_at_once_max = 64;

}  // namespace

void node_actor_state::schedule_join(std::uint32_t wait_ms) {
  self->delayed_send(self, std::chrono::milliseconds{wait_ms}, join_due{++join_number});
}

void node_actor_state::try_to_join(std::uint64_t number) {
  if (number != join_number || member || asking)
    return;
  auto target = entry.get(*self);
  if (!target)
    return schedule_join(arguments.cluster.rejoin_backoff_ms);
  asking = true;
  join_cluster request{arguments.cluster.name, protocol_number, incarnation, arguments.facts,
                       node_actor{self}};
  calls.call(self, target, arguments.cluster.request_timeout_ms, "entry", std::move(request),
             [this](runtime::expected<join_accepted> reply) {
               asking = false;
               if (reply)
                 return become_member(*reply);
               runtime::log(runtime::log_level::warn, name, "could not join the cluster",
                            {{"node_id", arguments.facts.id},
                             {"code", to_string(reply.error().code)},
                             {"reason", reply.error().message}});
               schedule_join(runtime::backoff_of(arguments.cluster.rejoin_backoff_ms,
                                                 arguments.cluster.rejoin_backoff_max_ms,
                                                 ++join_failures, random));
             });
}

void node_actor_state::become_member(const join_accepted& accepted) {
  member = true;
  join_failures = 0;
  heartbeat_ms = std::max(1u, accepted.heartbeat_ms);
  runtime::log(runtime::log_level::info, name, "joined the cluster",
               {{"node_id", arguments.facts.id},
                {"generation", accepted.generation},
                {"in_hand", executions.size()},
                {"unacknowledged", results.size()}});
  send_heartbeat();
  send_results(0);
}

void node_actor_state::join_again() {
  if (!member)
    return;
  member = false;
  schedule_join(0);
}

void node_actor_state::note_entry_down(const caf::down_msg& news) {
  if (!entry.note_down(news))
    return;
  runtime::log(runtime::log_level::warn, name, "lost the orchestrator",
               {{"node_id", arguments.facts.id}, {"reason", caf::to_string(news.reason)}});
  member = false;
  calls.fail_node("entry", {runtime::error_code::node_lost, "the orchestrator is gone", {}});
  schedule_join(arguments.cluster.rejoin_backoff_ms);
}

void node_actor_state::send_to_entry(caf::message content) {
  if (!member)
    return;
  if (auto target = entry.get(*self))
    target->enqueue(caf::strong_actor_ptr{self->ctrl()}, caf::make_message_id(),
                    std::move(content), self->context());
}

void node_actor_state::send_heartbeat() {
  node_heartbeat news;
  news.node_id = arguments.facts.id;
  news.incarnation = incarnation;
  news.draining = draining;
  if (arguments.measure)
    news.load = arguments.measure();
  news.load.cache_used_bytes = cache_news.used_bytes;
  news.load.cached_models = cache_news.digests;
  for (auto& [name, each] : device_news)
    news.load.devices.push_back(each);
  news.load.queued = static_cast<std::uint32_t>(queue.size());
  for (auto& [key, each] : executions)
    if (!each.cancelled)
      news.load.active.push_back(each.order.execution_id);
  name_work(news);
  send_to_entry(caf::make_message(std::move(news)));
}

void node_actor_state::name_work(node_heartbeat& news) const {
  auto add = [&news](const std::string& execution_id, std::uint32_t epoch, bool finished) {
    news.work_is_complete = news.work.size() < work_in_hand_max;
    if (news.work_is_complete)
      news.work.push_back({execution_id, epoch, finished});
    return news.work_is_complete;
  };
  for (auto& [key, each] : executions)
    if (!each.cancelled && !add(each.order.execution_id, each.order.epoch, false))
      return;
  results.each([&add](const execution_finished& each) {
    return add(each.execution_id, each.epoch, true);
  });
}

void node_actor_state::beat(bool once) {
  if (!once)
    self->delayed_send(self, std::chrono::milliseconds{heartbeat_ms}, heartbeat_due{});
  expire_waiting();
  watch_direct();
  looks_again = looks_again && !once;
  if (member)
    send_heartbeat();
  // While alone nothing is sent; only what nobody can want any more is forgotten.
  send_results(member ? std::int64_t{arguments.cluster.request_timeout_ms}
                      : std::numeric_limits<std::int32_t>::max());
  watch_drain();
}

void node_actor_state::send_results(std::int64_t pause_ms) {
  for (auto& result : results.take_due(now_ms(), pause_ms, results_at_once_max))
    send_to_entry(caf::make_message(std::move(result)));
}

void node_actor_state::acknowledge(const acknowledge_execution& news) {
  results.acknowledge(news.execution_id, news.epoch);
  watch_drain();
}

void node_actor_state::note_cache(cache_changed& news) {
  cache_news = std::move(news);
}

}  // namespace dim::actors
