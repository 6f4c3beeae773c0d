// NODE before it goes: no new work, what waits is handed back at once, what runs when time is over.
#include <algorithm>
#include <utility>

#include "actors/node/node.hpp"
#include "actors/type_ids.hpp"
#include "runtime/log.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

// For the orchestrator to acknowledge what was handed back past the drain time.
constexpr std::int64_t settle_ms = 2'000;
// Nobody tells NODE that the last direct inference has been answered.
constexpr std::int64_t look_again_ms = 50;

}  // namespace

void node_actor_state::begin_drain(std::uint32_t wait_ms) {
  if (!draining)
    runtime::log(runtime::log_level::info, name, "drains",
                 {{"node_id", arguments.facts.id}, {"in_hand", executions.size()}});
  draining = true;
  drain_until_ms = now_ms() + wait_ms;
  self->delayed_send(self, std::chrono::milliseconds{wait_ms}, heartbeat_due{true});
  hand_back_waiting();
  send_heartbeat();
  watch_drain();
}

void node_actor_state::set_drain(const set_draining& wish) {
  // A process that is about to end is not asked whether it wants to stay.
  if (!drain_promises.empty())
    return;
  if (wish.draining)
    return begin_drain(wish.wait_ms);
  draining = false;
  send_heartbeat();
}

caf::typed_response_promise<node_drained> node_actor_state::drain(const drain_node& wish) {
  auto promise = self->make_response_promise<node_drained>();
  drain_promises.push_back(promise);
  begin_drain(wish.wait_ms);
  return promise;
}

void node_actor_state::hand_back_waiting() {
  std::vector<std::string> waiting;
  for (auto& [key, held] : executions)
    if (held.where != stage::running)
      waiting.push_back(key);
  // What leaves the queue must not start what waits behind it.
  auto was_starting = std::exchange(starting, true);
  for (auto& key : waiting) {
    infer_result back;
    back.error = {error_code::unavailable, "the node is draining", {}};
    finish(key, std::move(back));
  }
  starting = was_starting;
}

void node_actor_state::hand_back_running() {
  for (auto& [key, held] : executions) {
    if (held.cancelled)
      continue;
    infer_result back;
    back.error = {error_code::node_lost, "the node drains, and gave back what still ran", {}};
    tell_end(held, std::move(back), 0);
    withdraw(held, key);
  }
}

std::size_t node_actor_state::wanted_executions() const {
  return static_cast<std::size_t>(std::count_if(
    executions.begin(), executions.end(), [](auto& each) { return !each.second.cancelled; }));
}

void node_actor_state::watch_drain() {
  if (!draining)
    return;
  auto now = now_ms();
  if (now >= drain_until_ms && wanted_executions() > 0) {
    hand_back_running();
    self->delayed_send(self, std::chrono::milliseconds{settle_ms}, heartbeat_due{true});
  }
  if (drain_promises.empty())
    return;
  auto direct = direct_in_hand();
  auto left = wanted_executions() + (member ? results.size() : 0) + direct;
  if (left > 0 && now < drain_until_ms + settle_ms) {
    if (direct > 0 && !std::exchange(looks_again, true))
      self->delayed_send(self, std::chrono::milliseconds{look_again_ms}, heartbeat_due{true});
    return;
  }
  for (auto& promise : drain_promises)
    promise.deliver(node_drained{static_cast<std::uint32_t>(left)});
  drain_promises.clear();
}

}  // namespace dim::actors
