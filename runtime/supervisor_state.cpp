#include "runtime/supervisor_state.hpp"

#include <algorithm>
#include <chrono>

#include "runtime/caf_errors.hpp"
#include "runtime/log.hpp"

namespace dim::runtime {

namespace {

/// Whether an actor ended other than it should: `user_shutdown` is how it is asked to end.
bool is_abnormal(const caf::error& reason) {
  return reason && reason != caf::exit_reason::user_shutdown;
}

/// Whether the child is alive, and merely does not know the question.
bool is_answer(const caf::error& error) {
  return error == caf::sec::unexpected_message || error == caf::sec::unexpected_response;
}

}  // namespace

void supervisor_state::begin(supervisor_spec spec) {
  spec_ = std::move(spec);
  auto& context = context_of(self_->system());
  context.actors.rename(self_->id(), spec_.name);
  window_.emplace(spec_.limits);
  random_.emplace(context.seed ^ (self_->id() * 0x9e3779b97f4a7c15ull));
  for (auto& each : spec_.children) {
    child next;
    next.spec = each;
    next.to_start = true;
    children_.push_back(std::move(next));
  }
  self_->attach_functor([living = living_](const caf::error&) {
    std::lock_guard guard{living->mutex};
    for (auto& address : living->addresses)
      if (auto handle = caf::actor_cast<caf::actor>(address))
        caf::anon_send_exit(handle, caf::exit_reason::kill);
  });
  step();
}

caf::typed_response_promise<tree_status> supervisor_state::await() {
  auto promise = self_->make_response_promise<tree_status>();
  if (phase_ == phase::running)
    promise.deliver(status());
  else
    awaiting_.push_back(promise);
  return promise;
}

caf::typed_response_promise<tree_status> supervisor_state::stop() {
  auto promise = self_->make_response_promise<tree_status>();
  stopping_.push_back(promise);
  stop_with({});
  return promise;
}

void supervisor_state::stop_with(caf::error reason) {
  if (phase_ == phase::stopping)
    return;
  phase_ = phase::stopping;
  final_reason_ = std::move(reason);
  for (auto& each : children_) {
    each.to_start = false;
    each.to_stop = true;
  }
  step();
}

void supervisor_state::give_up(failure reason) {
  log(log_level::error, spec_.name, "gives up",
      {{"code", to_string(reason.code)}, {"reason", reason.message}});
  stop_with(to_error(reason));
}

void supervisor_state::finish() {
  for (auto& promise : awaiting_)
    promise.deliver(final_reason_ ? final_reason_
                                  : to_error(error_code::cancelled, "stopped while starting"));
  for (auto& promise : stopping_)
    promise.deliver(status());
  awaiting_.clear();
  stopping_.clear();
  self_->quit(final_reason_);
}

void supervisor_state::step() {
  if (any_at(stage::stopping))
    return;
  for (auto index = children_.size(); index-- > 0;) {
    auto& each = children_[index];
    auto alive = each.at != stage::down;
    if (each.to_stop && alive)
      return stop_child(index);
    each.to_stop = false;
  }
  if (phase_ == phase::stopping)
    return finish();
  if (any_at(stage::starting))
    return;
  if (auto index = next_to_start())
    return start_child(*index);
  auto waits = std::any_of(children_.begin(), children_.end(),
                           [](const child& each) { return each.to_start; });
  if (phase_ != phase::starting || waits)
    return;
  phase_ = phase::running;
  for (auto& promise : awaiting_)
    promise.deliver(status());
  awaiting_.clear();
}

std::optional<std::size_t> supervisor_state::next_to_start() const {
  auto now = clock_ns(self_->system());
  for (std::size_t index = 0; index < children_.size(); ++index) {
    auto& each = children_[index];
    if (!each.to_start)
      continue;
    if (each.start_at_ns <= now)
      return index;
    // Children that depend on their order wait for the one before them.
    if (spec_.strategy != restart_strategy::one_for_one)
      return std::nullopt;
  }
  return std::nullopt;
}

void supervisor_state::start_child(std::size_t index) {
  auto& each = children_[index];
  each.to_start = false;
  each.was_killed = false;
  ++each.generation;
  auto handle = each.spec.start(*self_);
  if (!handle)
    return end_child(index, handle.error(), true);
  if (!*handle)
    return end_child(index, {error_code::internal, "the start function made no actor", {}}, true);
  each.handle = *handle;
  each.at = stage::starting;
  note_living();
  self_->monitor(each.handle);
  delay(index, each.spec.start_timeout_ms, child_due::purpose::start_timeout);
  ask_ready(index);
}

void supervisor_state::ask_ready(std::size_t index) {
  auto& each = children_[index];
  auto generation = each.generation;
  auto target = caf::actor_cast<caf::actor>(each.handle);
  // An error but for an unknown question means that it is gone: then the down message follows.
  auto on_error = [this, index, generation](caf::error& error) {
    if (is_answer(error))
      ready(index, generation);
  };
  if (each.spec.is_supervisor)
    self_->request(target, caf::infinite, await_tree{})
      .then([this, index, generation](const tree_status&) { ready(index, generation); }, on_error);
  else
    self_->request(target, caf::infinite, describe_actor{})
      .then([this, index, generation](const actor_description&) { ready(index, generation); },
            on_error);
}

void supervisor_state::ready(std::size_t index, std::uint64_t generation) {
  auto& each = children_[index];
  if (each.generation != generation || each.at != stage::starting)
    return;
  each.at = stage::up;
  ++each.generation;
  each.up_since_ns = clock_ns(self_->system());
  log(log_level::debug, spec_.name, "started child", {{"child", each.spec.name}});
  step();
}

void supervisor_state::stop_child(std::size_t index) {
  auto& each = children_[index];
  each.to_stop = false;
  each.at = stage::stopping;
  ++each.generation;
  self_->send_exit(each.handle, caf::exit_reason::user_shutdown);
  delay(index, each.spec.stop_grace_ms, child_due::purpose::stop_grace);
}

void supervisor_state::abandon(std::size_t index) {
  auto& each = children_[index];
  log(log_level::error, spec_.name, "abandons child that does not end",
      {{"child", each.spec.name}});
  self_->demonitor(caf::actor_cast<caf::actor_addr>(each.handle));
  end_child(index, {error_code::internal, "did not end when killed", {}}, true);
}

void supervisor_state::child_ended(const caf::down_msg& message) {
  for (std::size_t index = 0; index < children_.size(); ++index) {
    auto& each = children_[index];
    if (!each.handle || caf::actor_cast<caf::actor_addr>(each.handle) != message.source)
      continue;
    auto reason = to_failure(message.reason);
    if (each.was_killed && each.at == stage::starting)
      reason = {error_code::timeout,
                "did not start within " + std::to_string(each.spec.start_timeout_ms) + " ms",
                {}};
    return end_child(index, reason, is_abnormal(message.reason));
  }
}

void supervisor_state::end_child(std::size_t index, const failure& reason, bool with_error) {
  auto& each = children_[index];
  auto was_stopped = each.at == stage::stopping;
  auto ran_for_ns = each.at == stage::up ? clock_ns(self_->system()) - each.up_since_ns : 0;
  if (ran_for_ns >= std::int64_t{spec_.limits.window_ms} * 1'000'000)
    each.failures = 0;
  each.handle = nullptr;
  each.at = stage::down;
  ++each.generation;
  note_living();
  if (each.spec.ended)
    each.spec.ended();
  if (was_stopped || phase_ == phase::stopping || each.to_stop)
    return step();
  if (phase_ == phase::starting) {
    failure why = reason;
    why.message = each.spec.name + " did not start: " + reason.message;
    return give_up(std::move(why));
  }
  if (is_restarted(each.spec.restart, with_error))
    restart_after(index, reason);
  step();
}

void supervisor_state::restart_after(std::size_t index, const failure& reason) {
  auto& failed = children_[index];
  auto now = clock_ns(self_->system());
  if (!window_->note(now / 1'000'000)) {
    failure why = reason;
    why.message = failed.spec.name + " ended too often: " + reason.message;
    return give_up(std::move(why));
  }
  ++failed.failures;
  ++failed.restarts;
  auto& limits = spec_.limits;
  auto pause = backoff_of(limits.backoff_ms, limits.backoff_max_ms, failed.failures, *random_);
  log(log_level::warn, spec_.name, "restarts child",
      {{"child", failed.spec.name}, {"reason", reason.message}, {"pause_ms", pause}});
  auto plan = plan_restart(spec_.strategy, children_.size(), index);
  for (auto other : plan.stop) {
    // What has ended for good stays so.
    auto& each = children_[other];
    each.to_stop = each.at != stage::down;
    each.to_start = each.to_start || (each.to_stop && each.spec.restart != restart_kind::temporary);
    each.start_at_ns = now;
  }
  failed.to_start = true;
  failed.start_at_ns = now + std::int64_t{pause} * 1'000'000;
  delay(index, pause, child_due::purpose::restart);
  for (auto other : plan.start)
    children_[other].start_at_ns = failed.start_at_ns;
}

void supervisor_state::pass_time(const child_due& message) {
  auto& each = children_[message.child];
  if (each.generation != message.generation)
    return;
  switch (message.what) {
    case child_due::purpose::restart:
      return step();
    case child_due::purpose::start_timeout:
      each.was_killed = true;
      return self_->send_exit(each.handle, caf::exit_reason::kill);
    case child_due::purpose::stop_grace:
      if (each.was_killed)
        return abandon(message.child);
      each.was_killed = true;
      self_->send_exit(each.handle, caf::exit_reason::kill);
      delay(message.child, each.spec.stop_grace_ms, child_due::purpose::stop_grace);
      return;
  }
}

bool supervisor_state::any_at(stage at) const {
  return std::any_of(children_.begin(), children_.end(),
                     [at](const child& each) { return each.at == at; });
}

void supervisor_state::note_living() {
  std::lock_guard guard{living_->mutex};
  living_->addresses.clear();
  for (auto& each : children_)
    if (each.handle)
      living_->addresses.push_back(caf::actor_cast<caf::actor_addr>(each.handle));
}

void supervisor_state::delay(std::size_t index, std::int64_t delay_ms, child_due::purpose what) {
  self_->delayed_send(self_, std::chrono::milliseconds{delay_ms},
                      child_due{what, static_cast<std::uint32_t>(index),
                                children_[index].generation});
}

const char* supervisor_state::word_of(stage at) {
  switch (at) {
    case stage::starting:
      return "starting";
    case stage::up:
      return "up";
    case stage::stopping:
      return "stopping";
    default:
      return "down";
  }
}

tree_status supervisor_state::status() const {
  tree_status result{spec_.name, {}};
  for (auto& each : children_)
    result.children.push_back({each.spec.name, word_of(each.at),
                               each.handle ? each.handle->id() : 0, each.restarts});
  return result;
}

std::string supervisor_state::describe() const {
  std::string result;
  for (auto& each : children_) {
    result += result.empty() ? "" : ", ";
    result += each.spec.name + " " + word_of(each.at);
    if (each.restarts > 0)
      result += " (" + std::to_string(each.restarts) + " restarts)";
  }
  return result;
}

}  // namespace dim::runtime
