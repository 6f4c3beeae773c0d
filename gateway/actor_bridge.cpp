#include "gateway/actor_bridge.hpp"

namespace dim::gateway {

namespace {

using runtime::error_code;

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
  auto target = targets.entry.get();
  if (!target) {
    calls->fail(call.number, no_orchestrator());
    return;
  }
  note(call.number, target);
  call.send(self, target);
}

void bridge_state::send(bridge_inference& call) {
  auto router = caf::actor_cast<caf::actor>(targets.router.get());
  auto target = router ? router : targets.entry.get();
  if (!target) {
    calls->fail(call.number, no_orchestrator());
    return;
  }
  note(call.number, target);
  runtime::context_of(self->home_system()).traffic.note(sent.size());
  if (router) {
    gathered.push_back({call.number, std::move(call.request)});
    return self->finish_with_others();
  }
  self->request(target, caf::infinite, std::move(call.request))
    .then([this, number = call.number](
            actors::inference_done& done) { end(number, std::move(done)); },
          [this, number = call.number](caf::error& error) {
            fail({number}, runtime::to_failure(error));
          });
}

void bridge_state::note(std::uint64_t number, const caf::actor& target) {
  if (monitored.insert(target.address()).second)
    self->monitor(target);
  sent[number] = target.address();
}

void bridge_state::after_others() {
  // Those that have failed meanwhile, with the ROUTER that was there when they came, go nowhere.
  std::erase_if(gathered, [this](const actors::numbered_inference& each) {
    return !sent.contains(each.number);
  });
  if (gathered.empty())
    return;
  actors::run_inferences group{std::exchange(gathered, {})};
  std::vector<std::uint64_t> numbers;
  numbers.reserve(group.requests.size());
  for (auto& each : group.requests)
    numbers.push_back(each.number);
  auto router = targets.router.get();
  if (!router)
    return fail(numbers, no_orchestrator());
  if (monitored.insert(router.address()).second)
    self->monitor(router);
  for (auto number : numbers)
    sent.at(number) = router.address();
  self->request(router, caf::infinite, std::move(group))
    .then(
      [this, numbers](actors::inferences_done& reply) {
        take(reply);
        // Others have been answered ahead of the reply.
        if (reply.answers.size() < numbers.size())
          fail(numbers, {error_code::internal, "the router has left it without an answer", {}});
      },
      [this, numbers](caf::error& error) { fail(numbers, runtime::to_failure(error)); });
}

void bridge_state::take(actors::inferences_done& news) {
  for (auto& each : news.answers)
    end(each.number, std::move(each.done));
}

void bridge_state::end(std::uint64_t number, actors::inference_done done) {
  sent.erase(number);
  calls->finish(number, [&](pending_call& waiting) {
    static_cast<pending_reply<actors::inference_done>&>(waiting).succeed(std::move(done));
  });
}

void bridge_state::fail(const std::vector<std::uint64_t>& numbers, const runtime::failure& why) {
  for (auto number : numbers)
    if (sent.erase(number) > 0)
      calls->fail(number, why);
}

void bridge_state::forget(const std::vector<std::uint64_t>& numbers) {
  for (auto number : numbers)
    sent.erase(number);
}

void bridge_state::note_down(const caf::actor_addr& target) {
  monitored.erase(target);
  std::erase_if(sent, [&](auto& entry_of_call) {
    auto& [number, asked] = entry_of_call;
    if (asked != target)
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
    [&state](bridge_inference& call) { state.send(call); },
    [&state](actors::inferences_done& news) { state.take(news); },
    [&state](const bridge_expired& late) { state.forget(late.numbers); },
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

void actor_bridge::expire(std::chrono::steady_clock::time_point now) {
  auto numbers = calls_->expire(now);
  if (auto target = bridge_.get(); target && !numbers.empty())
    runtime::send_from_thread(target, bridge_expired{std::move(numbers)});
}

void actor_bridge::stop() {
  calls_->close({error_code::unavailable, "the gateway is stopping", {}});
  if (auto target = bridge_.get())
    caf::anon_send_exit(target, caf::exit_reason::user_shutdown);
}

}  // namespace dim::gateway
