#include "gateway/actor_bridge.hpp"

namespace dim::gateway {

namespace {

using runtime::error_code;

/// How late a deadline may be noticed.
constexpr std::chrono::milliseconds tick{20};

runtime::failure no_orchestrator() {
  return {error_code::unavailable, "the orchestrator can not be reached", {}};
}

}  // namespace

bridge_state::~bridge_state() {
  // In this order: a call that is sent from now on sees that nobody takes it.
  cell.clear();
  if (calls)
    calls->fail_all({error_code::unavailable, "the gateway's way to the actors has ended", {}});
}

void bridge_state::send(bridge_call& call) {
  caf::actor target;
  if (call.is_direct_inference)
    target = caf::actor_cast<caf::actor>(targets.router.get());
  if (!target)
    target = targets.entry.get();
  if (!target) {
    calls->fail(call.number, no_orchestrator());
    return;
  }
  if (monitored.insert(target.address()).second)
    self->monitor(target);
  sent[call.number] = {self->clock().now() + call.deadline, target.address()};
  call.send(self, target);
  if (call.is_direct_inference)
    runtime::context_of(self->home_system()).traffic.note(sent.size());
  if (!tick_runs) {
    tick_runs = true;
    self->delayed_send(self, tick, bridge_due{});
  }
}

void bridge_state::expire() {
  auto now = self->clock().now();
  std::erase_if(sent, [&](auto& entry_of_call) {
    auto& [number, call] = entry_of_call;
    if (call.expires > now)
      return false;
    calls->fail(number, {error_code::timeout, "the orchestrator did not answer in time", {}});
    return true;
  });
  tick_runs = !sent.empty();
  if (tick_runs)
    self->delayed_send(self, tick, bridge_due{});
}

void bridge_state::note_down(const caf::actor_addr& target) {
  monitored.erase(target);
  std::erase_if(sent, [&](auto& entry_of_call) {
    auto& [number, call] = entry_of_call;
    if (call.target != target)
      return false;
    calls->fail(number, no_orchestrator());
    return true;
  });
}

std::string bridge_state::describe() const {
  return "calls " + std::to_string(sent.size());
}

bridge_actor::behavior_type bridge(bridge_state::self_pointer self,
                                   bridge_targets targets,
                                   std::shared_ptr<pending_calls> calls,
                                   runtime::service<bridge_actor> cell) {
  auto& state = self->state;
  state.self = self;
  state.targets = std::move(targets);
  state.calls = std::move(calls);
  state.cell = std::move(cell);
  self->set_down_handler([&state](caf::down_msg& down) { state.note_down(down.source); });
  return {
    [&state](bridge_call& call) { state.send(call); },
    [&state](bridge_due) { state.expire(); },
  };
}

actor_bridge::actor_bridge(bridge_targets targets, std::size_t calls_max)
  : targets_(std::move(targets)), calls_(std::make_shared<pending_calls>(calls_max)) {
}

actor_bridge::actor_bridge(caf::actor_system& system, bridge_targets targets,
                           std::size_t calls_max)
  : actor_bridge(std::move(targets), calls_max) {
  bridge_.set(system.spawn(bridge, targets_, calls_, bridge_));
}

runtime::child_spec actor_bridge::child() const {
  return runtime::make_child(
    "BRIDGE", bridge_,
    [targets = targets_, calls = calls_, cell = bridge_](caf::local_actor& parent) -> bridge_actor {
      return parent.spawn(bridge, targets, calls, cell);
    },
    runtime::restart_kind::transient);
}

actor_bridge::~actor_bridge() {
  stop();
}

void actor_bridge::send(bridge_call call) {
  auto number = call.number;
  auto target = bridge_.get();
  if (target)
    runtime::send_from_thread(target, std::move(call));
  // BRIDGE may have ended in between, and then has failed only the calls before this one.
  if (!target || bridge_.get() != target)
    calls_->fail(number, {error_code::unavailable, "the gateway is starting", {}});
}

void actor_bridge::stop() {
  calls_->close({error_code::unavailable, "the gateway is stopping", {}});
  if (auto target = bridge_.get())
    caf::anon_send_exit(target, caf::exit_reason::user_shutdown);
}

}  // namespace dim::gateway
