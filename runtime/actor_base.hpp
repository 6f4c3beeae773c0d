#pragma once

#include <memory>
#include <string>

#include <caf/all.hpp>

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

/// The base of every actor: enters itself in the process's table, counts its mailbox, notes which
/// message it handles since when, answers `describe_actor`, and is the single place where message
/// faults are injected. Use it as
///
///     struct store_state { static inline const char* name = "STORE"; ... };
///     using self_pointer = runtime::actor_self<store_actor, store_state>;
///     store_actor::behavior_type store(self_pointer self, ...);
///
/// A state with a member `std::string describe() const` shows it to the shell.
template <class Handle>
class actor_base : public base_of::base<Handle>::type {
public:
  using super = typename base_of::base<Handle>::type;

  explicit actor_base(caf::actor_config& config)
    : super(config), parent_(config.parent != nullptr ? config.parent->id() : 0) {
  }

  void launch(caf::execution_unit* unit, bool lazy, bool hide) override {
    auto& system = this->home_system();
    vitals_ = context_of(system).actors.enter(this->id(), this->name(), parent_, clock_ns(system));
    super::launch(unit, lazy, hide);
  }

  void enqueue(caf::mailbox_element_ptr element, caf::execution_unit* unit) override {
    if (auto& hook = context_of(this->home_system()).faults; hook)
      if (!pass_faults(hook, element, unit))
        return;
    count_arrival();
    super::enqueue(std::move(element), unit);
  }

  caf::invoke_message_result consume(caf::mailbox_element& element) override {
    if (element.content().template match_elements<describe_actor>()) {
      answer_description(element);
      count_departure();
      return caf::invoke_message_result::consumed;
    }
    if (vitals_) {
      vitals_->current_type.store(element.content().type_token(), std::memory_order_relaxed);
      vitals_->busy_since_ns.store(clock_ns(this->home_system()), std::memory_order_relaxed);
    }
    auto result = super::consume(element);
    if (vitals_)
      vitals_->current_type.store(0, std::memory_order_relaxed);
    if (result != caf::invoke_message_result::skipped)
      count_departure();
    return result;
  }

  bool cleanup(caf::error&& reason, caf::execution_unit* host) override {
    context_of(this->home_system()).actors.leave(this->id());
    return super::cleanup(std::move(reason), host);
  }

  /// Messages waiting, this one included.
  std::int64_t mailbox_length() const {
    return vitals_ ? vitals_->mailbox.load(std::memory_order_relaxed) : 0;
  }

protected:
  /// What the shell shows; `actor_self` overrides it from the state.
  virtual std::string describe_state() const {
    return {};
  }

private:
  void count_arrival() {
    if (!vitals_)
      return;
    auto length = vitals_->mailbox.fetch_add(1, std::memory_order_relaxed) + 1;
    if (length > vitals_->mailbox_peak.load(std::memory_order_relaxed))
      vitals_->mailbox_peak.store(length, std::memory_order_relaxed);
  }

  void count_departure() {
    if (!vitals_)
      return;
    vitals_->mailbox.fetch_sub(1, std::memory_order_relaxed);
    vitals_->handled.fetch_add(1, std::memory_order_relaxed);
  }

  void answer_description(caf::mailbox_element& element) {
    if (!element.sender)
      return;
    auto reply = caf::make_message(actor_description{this->name(), describe_state()});
    element.sender->enqueue(nullptr, element.mid.response_id(), std::move(reply), this->context());
  }

  bool pass_faults(const fault_hook& hook, caf::mailbox_element_ptr& element,
                   caf::execution_unit* unit) {
    switch (hook(this->name(), *element)) {
      case message_fault::drop:
        return false;
      case message_fault::duplicate:
        count_arrival();
        super::enqueue(caf::make_mailbox_element(element->sender, element->mid, {},
                                                 element->copy_content_to_message()),
                       unit);
        return true;
      default:
        return true;
    }
  }

  std::uint64_t parent_ = 0;
  std::shared_ptr<actor_vitals> vitals_;
};

/// The `self` pointer of an actor with interface `Handle` and state `State`.
template <class Handle, class State>
using actor_self = caf::stateful_actor<State, actor_base<Handle>>*;

}  // namespace dim::runtime
