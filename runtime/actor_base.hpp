#pragma once

#include <chrono>
#include <concepts>
#include <exception>
#include <memory>
#include <string>
#include <typeinfo>
#include <utility>

#include <caf/all.hpp>

#include "runtime/message_faults.hpp"
#include "runtime/system.hpp"

namespace dim::runtime {

/// What `describe_actor` answers: every actor of this project can be asked, whatever its interface.
struct actor_description {
  std::string name;
  std::string state;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, actor_description& x) {
  return f(x.name, x.state);
}

struct describe_actor {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, describe_actor&) {
  return f();
}

/// INTERNAL: the earliest deadline of an actor's `call_table` may have passed. Never leaves the
/// process; the base hands it to the table, so that no interface lists it.
struct deadline_due {
  std::int64_t due_ns = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, deadline_due& x) {
  return f(x.due_ns);
}

/// INTERNAL: the messages that waited when an actor sent it to itself have been handled. Never
/// leaves the process; the base hands it to the state, so that no interface lists it.
struct others_handled {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, others_handled&) {
  return f();
}

/// Logs what a handler has thrown, which ends its actor, and makes it the reason of that end.
caf::error report_exception(const char* name, const std::exception_ptr& thrown);

/// Logs an error that came as a message of its own, and not as the answer to a request.
void report_stray_error(const char* name, const caf::error& stray);

/// What the actor base needs of a `call_table`.
class deadline_watcher {
public:
  /// The time `due_ns` has come.
  virtual void pass_deadline(std::int64_t due_ns) = 0;

protected:
  ~deadline_watcher() = default;
};

/// What a `call_table` needs of the actor base.
class call_owner {
public:
  /// Sends `deadline_due` to this actor at `due_ns`, and hands it to `watcher`, which is a part of
  /// the actor's state.
  virtual void watch_deadline(deadline_watcher* watcher, std::int64_t due_ns) = 0;

  /// Drops the handler of a request, so that a late reply finds nobody.
  virtual void forget_reply(caf::message_id reply) = 0;

  /// The actor clock.
  virtual std::int64_t clock_now_ns() = 0;

protected:
  ~call_owner() = default;
};

namespace base_of {

template <class Handle>
struct base {
  using type = typename Handle::base;
};

template <>
struct base<caf::actor> {
  using type = caf::event_based_actor;
};

}  // namespace base_of

/// The state of an actor that may run on the lane of another thread: its handlers take
/// microseconds.
template <class State>
concept runs_on_lanes = requires { requires State::runs_on_lanes; };

/// The state of an actor that gathers what messages that come together give it to do, and does it
/// once, in `after_others()`.
template <class State>
concept gathers_work = requires(State& x) { x.after_others(); };

/// The state of a detached actor whose thread has a lane.
template <class State>
concept has_lane = requires { requires State::has_lane; };

/// The state of an actor whose messages take long by design, so that it is never stuck.
template <class State>
concept works_long = requires { requires State::works_long; };

/// The base of every actor: enters itself in the process's table, counts its mailbox, notes which
/// message it handles since when, answers `describe_actor`, and is the single place where message
/// faults are injected. A message that the behaviour does not know is answered
/// `unexpected_message`, and a handler that throws ends its actor with an error. Use it as
///
///     struct store_state { static inline const char* name = "STORE"; ... };
///     using self_pointer = runtime::actor_self<store_actor, store_state>;
///     store_actor::behavior_type store(self_pointer self, ...);
///
/// A state with a member `std::string describe() const` shows it to the shell. One with `void
/// after_others()` may gather the work of messages that come together. One with `static
/// constexpr bool runs_on_lanes = true` lets its actor run on an `actor_lane`; one with `has_lane =
/// true` gives a detached actor's thread a lane, on which it runs those that it has woken, unless
/// another message waits for it: then they go to the scheduler, so that it goes on with its own
/// work. One with `works_long = true` may handle a message for longer than `stuck_limit`.
template <class Handle, class State = void>
class actor_base : public base_of::base<Handle>::type, public call_owner {
public:
  using super = typename base_of::base<Handle>::type;

  explicit actor_base(caf::actor_config& config)
    : super(config), parent_(config.parent != nullptr ? config.parent->id() : 0) {
    // CAF's own handlers print to standard output.
    this->set_default_handler(caf::drop);
    // An error that nobody asked for: a peer could not read one of our one-way messages. CAF would
    // end this actor, so that any process could end those of another.
    this->set_error_handler([](caf::scheduled_actor* self, caf::error& stray) {
      report_stray_error(self->name(), stray);
    });
    this->set_exception_handler([](caf::scheduled_actor* self, std::exception_ptr& thrown) {
      return report_exception(self->name(), thrown);
    });
  }

  void launch(caf::execution_unit* unit, bool lazy, bool hide) override {
    auto& system = this->home_system();
    vitals_ = context_of(system).actors.enter(caf::strong_actor_ptr{this->ctrl()}, this->name(),
                                              parent_, clock_ns(system), works_long<State>);
    super::launch(unit, lazy, hide);
  }

  void enqueue(caf::mailbox_element_ptr element, caf::execution_unit* unit) override {
    auto& context = context_of(this->home_system());
    if (context.faults || !element->stages.empty()) {
      auto again = false;
      if (!pass_faults(context, this->name(), caf::strong_actor_ptr{this->ctrl()}, element, again))
        return;
      if (again)
        arrive(copy_of(*element), unit);
    }
    arrive(std::move(element), unit);
  }

  caf::resumable::resume_result resume(caf::execution_unit* unit, std::size_t max) override {
    if constexpr (has_lane<State>) {
      if (this->getf(caf::abstract_actor::is_detached_flag))
        return resume_on_lane();
    }
    return super::resume(unit, max);
  }

  caf::invoke_message_result consume(caf::mailbox_element& element) override {
    auto type = type_of(element.content());
    auto now = clock_ns(this->home_system());
    vitals_->busy_since_ns.store(now, std::memory_order_relaxed);
    // Whoever sees the message sees since when.
    vitals_->current_type.store(type, std::memory_order_release);
    if (type == type_key<describe_actor> || type == type_key<deadline_due>
        || type == type_key<others_handled>) {
      handle_internal(element);
      vitals_->current_type.store(0, std::memory_order_relaxed);
      count_departure();
      return caf::invoke_message_result::consumed;
    }
    auto result = super::consume(element);
    vitals_->current_type.store(0, std::memory_order_relaxed);
    if (result != caf::invoke_message_result::skipped) {
      vitals_->trace.put(type, now);
      count_departure();
    }
    return result;
  }

  bool cleanup(caf::error&& reason, caf::execution_unit* host) override {
    deadlines_ = nullptr;
    context_of(this->home_system()).actors.leave(this->id());
    return super::cleanup(std::move(reason), host);
  }

  /// Messages waiting, this one included.
  std::int64_t mailbox_length() const {
    return vitals_ ? vitals_->mailbox.load(std::memory_order_relaxed) : 0;
  }

  /// Calls `after_others()` of the state: now, when no other message waits, else when those that
  /// wait now have been handled. For the end of a handler.
  void finish_with_others() {
    if (mailbox_length() <= 1 && !is_to_finish_)
      finish_work();
    else
      finish_behind_others();
  }

  /// The same, but never now.
  void finish_behind_others() {
    // No fault is injected here: it is no message to anybody else.
    if (!std::exchange(is_to_finish_, true))
      arrive(caf::make_mailbox_element(caf::strong_actor_ptr{this->ctrl()}, caf::make_message_id(),
                                       {}, others_handled{}),
             this->context());
  }

  void watch_deadline(deadline_watcher* watcher, std::int64_t due_ns) override {
    deadlines_ = watcher;
    auto due = caf::actor_clock::time_point{std::chrono::nanoseconds{due_ns}};
    this->clock().schedule_message(due, caf::strong_actor_ptr{this->ctrl()},
                                   caf::make_mailbox_element(nullptr, caf::make_message_id(), {},
                                                             deadline_due{due_ns}));
  }

  void forget_reply(caf::message_id reply) override {
    this->multiplexed_responses_.erase(reply);
  }

  std::int64_t clock_now_ns() override {
    return clock_ns(this->home_system());
  }

private:
  template <class T>
  static inline const message_type type_key = reinterpret_cast<message_type>(&typeid(T));

  void arrive(caf::mailbox_element_ptr element, caf::execution_unit* unit) {
    if (vitals_) {
      auto length = vitals_->mailbox.fetch_add(1, std::memory_order_relaxed) + 1;
      if (length > vitals_->mailbox_peak.load(std::memory_order_relaxed))
        vitals_->mailbox_peak.store(length, std::memory_order_relaxed);
    }
    super::enqueue(std::move(element), unit_for(unit));
  }

  /// The lane of the sender's thread, where this actor may run there.
  caf::execution_unit* unit_for(caf::execution_unit* unit) {
    if (unit == nullptr)
      return nullptr;
    auto* lane = actor_lane::of_this_thread();
    if (lane == nullptr || (unit != lane && !lane->stands_for(unit)))
      return unit;
    return runs_on_lanes<State> ? lane : nullptr;
  }

  caf::resumable::resume_result resume_on_lane() {
    auto& shared = context_of(this->home_system());
    if (lane_ == nullptr) {
      lane_ = &shared.lanes.take(this->home_system());
      lane_->enter({});
    }
    auto& lane = *lane_;
    auto result = super::resume(&lane, 1);
    if (result == caf::resumable::resume_later) {
      lane.hand_over();
    } else if (result == caf::resumable::awaiting_message) {
      lane.run();
      // The mailbox is marked as blocked until somebody fills it.
      while (this->mailbox().blocked() && shared.spare.help())
        lane.run();
      spin_wait waiting{shared.spin_limit, shared.traffic};
      waiting.look([this] { return !this->mailbox().blocked(); });
    } else {
      lane.leave();
      shared.lanes.give_back(lane);
    }
    return result;
  }

  void count_departure() {
    vitals_->mailbox.fetch_sub(1, std::memory_order_relaxed);
    vitals_->handled.fetch_add(1, std::memory_order_relaxed);
  }

  void handle_internal(caf::mailbox_element& element) {
    auto& content = element.content();
    if (content.template match_elements<deadline_due>()) {
      if (deadlines_ != nullptr)
        deadlines_->pass_deadline(content.template get_as<deadline_due>(0).due_ns);
      return;
    }
    if (content.template match_elements<others_handled>()) {
      is_to_finish_ = false;
      return finish_work();
    }
    if (!element.sender || !element.mid.is_request())
      return;
    auto reply = caf::make_message(actor_description{this->name(), describe_state()});
    element.sender->enqueue(nullptr, element.mid.response_id(), std::move(reply), this->context());
  }

  void finish_work() {
    if constexpr (gathers_work<State>)
      static_cast<caf::stateful_actor<State, actor_base>*>(this)->state.after_others();
  }

  std::string describe_state() const {
    if constexpr (requires(const State& x) {
                    { x.describe() } -> std::convertible_to<std::string>;
                  })
      return static_cast<const caf::stateful_actor<State, actor_base>*>(this)->state.describe();
    else
      return {};
  }

  std::uint64_t parent_ = 0;
  /// `others_handled` is in the mailbox.
  bool is_to_finish_ = false;
  std::shared_ptr<actor_vitals> vitals_;
  deadline_watcher* deadlines_ = nullptr;
  /// Of the actor's own thread.
  actor_lane* lane_ = nullptr;
};

/// The `self` pointer of an actor with interface `Handle` and state `State`.
template <class Handle, class State>
using actor_self = caf::stateful_actor<State, actor_base<Handle, State>>*;

}  // namespace dim::runtime
