#include "actors/node/node.hpp"

#include <algorithm>

#include "actors/type_ids.hpp"

namespace dim::actors {

namespace {

// Large outputs wait in memory for the orchestrator: a share of what the node offers, and at least
// one large answer.
constexpr std::uint64_t output_bytes_min = 256ull << 20;
constexpr std::uint64_t output_share = 8;

}  // namespace

node_actor_state::node_actor_state(self_pointer pointer)
  : self(pointer),
    random(runtime::context_of(pointer->home_system()).seed + pointer->id() * 0x9e3779b97f4a7c15),
    queue(0),
    results(0, 0) {
}

node_actor_state::~node_actor_state() {
  for (auto& [key, each] : executions)
    if (each.run)
      caf::anon_send_exit(each.run, caf::exit_reason::user_shutdown);
  for (auto& promise : drain_promises)
    promise.deliver(node_drained{static_cast<std::uint32_t>(executions.size())});
  runtime::failure ended{runtime::error_code::unavailable, "the node has been stopped", {}};
  for (auto& [key, held] : direct_models)
    for (auto& each : held.waiting)
      go_on(key, each, ended);
}

void node_actor_state::initialise(node_arguments values) {
  arguments = std::move(values);
  incarnation = random.next() | 1;
  heartbeat_ms = std::max(1u, arguments.cluster.heartbeat_ms);
  entry = entry_watch{arguments.entry};
  queue = work_queue{arguments.options.queue_max};
  ledger = resource_ledger{arguments.facts};
  results = outbox{arguments.options.unacknowledged_max,
                   std::max(output_bytes_min, arguments.facts.memory_bytes / output_share)};
  self->send(self, join_due{join_number});
  self->delayed_send(self, std::chrono::milliseconds{heartbeat_ms}, heartbeat_due{});
}

std::int64_t node_actor_state::now_ms() const {
  return runtime::clock_ns(self->home_system()) / 1'000'000;
}

std::string node_actor_state::describe() const {
  std::string text = member ? "member" : asking ? "asking to join" : "alone";
  if (draining)
    text += ", draining";
  return text + ", waiting " + std::to_string(queue.size()) + ", in hand " +
         std::to_string(executions.size()) + ", direct " +
         std::to_string(direct_requests()) + ", unacknowledged " +
         std::to_string(results.size()) + ", models " + std::to_string(models.size()) +
         ", free slots " + std::to_string(ledger.free_slots()) + ", free cores " +
         std::to_string(ledger.free_cores());
}

node_control_actor::behavior_type node(node_actor_state::self_pointer self,
                                       node_arguments arguments) {
  auto& state = self->state;
  state.initialise(std::move(arguments));
  self->set_down_handler([&state](caf::down_msg& news) { state.note_entry_down(news); });
  return {
    [&state](run_execution& order) { state.accept(order); },
    [&state](const acknowledge_execution& news) { state.acknowledge(news); },
    [&state](const cancel_execution& wish) { state.cancel(wish); },
    [&state](rejoin_cluster) { state.join_again(); },
    [&state](const fetch_chunk& wish) { return state.read_output(wish); },
    [&state](run_direct& order) { return state.run(order); },
    [&state](const withdraw_direct& wish) { state.withdraw(wish); },
    [&state](const set_agents& wish) { return state.set_agents_of(wish); },
    [&state](const drain_node& wish) { return state.drain(wish); },
    [&state](const set_draining& wish) { state.set_drain(wish); },
    [&state](const infer_started& news) { state.note_forward(news.request_id); },
    [&state](const cabinet_started& news) {
      state.note_forward(execution_key(news.execution_id, news.epoch));
    },
    [&state](cabinet_finished& news) { state.finish_cabinet(news); },
    [&state](cache_changed& news) { state.note_cache(news); },
    [&state](const device_changed& news) { state.note_device(news); },
    [&state](join_due due) { state.try_to_join(due.number); },
    [&state](heartbeat_due due) { state.beat(due.once); },
  };
}

}  // namespace dim::actors
