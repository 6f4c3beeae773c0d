#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <type_traits>
#include <vector>

#include <caf/all.hpp>

#include "actors/router/interface.hpp"
#include "actors/type_ids.hpp"
#include "gateway/pending_calls.hpp"
#include "gateway/exchange.hpp"
#include "runtime/actor_base.hpp"
#include "runtime/actor_lane.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/service.hpp"
#include "runtime/supervisor.hpp"

namespace dim::gateway {

struct bridge_call;
struct bridge_inference;
struct bridge_expired;

/// BRIDGE asks ENTRY on behalf of the HTTP threads: the one crossing between Asio and the actors.
using bridge_actor = caf::typed_actor<
  // Asks ENTRY, and hands the answer to the call in the table. Local only: it holds a closure.
  caf::reacts_to<bridge_call>,
  // A direct inference: asks ROUTER, together with others, where it is in this process, else ENTRY.
  caf::reacts_to<bridge_inference>,
  // From ROUTER: answers ahead of its reply.
  caf::reacts_to<actors::inferences_done>,
  // INTERNAL: look for calls that are past their deadline.
  caf::reacts_to<bridge_expired>>;

/// Whom BRIDGE asks.
struct bridge_targets {
  runtime::service<caf::actor> entry;
  /// Gets direct inferences, and spares them ENTRY, where it lives in this process; else empty.
  runtime::service<actors::router_actor> router;
};

/// What BRIDGE knows of the calls that it has sent. The callbacks themselves are in the
/// `pending_calls`, which outlives it, so that every call ends even if BRIDGE does first.
struct bridge_state {
  static inline const char* name = "BRIDGE";
  static constexpr bool runs_on_lanes = true;
  using self_pointer = runtime::actor_self<bridge_actor, bridge_state>;

  /// Fails the calls under way: who starts BRIDGE again takes new ones.
  ~bridge_state();

  /// Sends the call to ENTRY, or fails it with `unavailable` while there is none.
  void send(bridge_call& call);
  void send(bridge_inference& call);
  void take(actors::inferences_done& news);
  /// What has come together goes to ROUTER together.
  void after_others();
  /// Forgets calls that are past their deadline.
  void forget(const std::vector<std::uint64_t>& numbers);
  /// Fails the calls that were sent to an ENTRY that has ended.
  void note_down(const caf::actor_addr& target);
  std::string describe() const;

  self_pointer self = nullptr;
  bridge_targets targets;
  std::shared_ptr<pending_calls> calls;
  /// Holds this actor while it lives.
  runtime::service<bridge_actor> cell;
  /// To whom.
  std::map<std::uint64_t, caf::actor_addr> sent;
  /// For ROUTER.
  std::vector<actors::numbered_inference> gathered;
  std::set<caf::actor_addr> monitored;

private:
  void note(std::uint64_t number, const caf::actor& target);
  /// Ends a call to ROUTER with its answer.
  void end(std::uint64_t number, actors::inference_done done);
  /// Ends those that have no answer yet.
  void fail(const std::vector<std::uint64_t>& numbers, const runtime::failure& why);
};

/// One question on its way to ENTRY.
struct bridge_call {
  std::uint64_t number = 0;
  /// Makes the request and hands its answer on; runs in BRIDGE.
  std::function<void(bridge_state::self_pointer, const caf::actor& target)> send;
};

struct bridge_inference {
  std::uint64_t number = 0;
  actors::run_inference request;
};

/// These calls have not been answered in time: who made them has been told.
struct bridge_expired {
  std::vector<std::uint64_t> numbers;
};

bridge_actor::behavior_type bridge(bridge_state::self_pointer self,
                                   bridge_targets targets,
                                   std::shared_ptr<pending_calls> calls,
                                   runtime::service<bridge_actor> cell);

/// The HTTP side of BRIDGE. All functions may be called from any thread.
class actor_bridge {
public:
  /// BRIDGE is started by a supervisor that gets `child()`; until then calls fail. At most
  /// `calls_max` calls wait at once; more fail with `overloaded`.
  actor_bridge(bridge_targets targets, std::size_t calls_max);
  /// The same, and spawns a BRIDGE that nobody starts again.
  actor_bridge(caf::actor_system& system, bridge_targets targets, std::size_t calls_max);
  ~actor_bridge();
  actor_bridge(const actor_bridge&) = delete;
  actor_bridge& operator=(const actor_bridge&) = delete;

  /// Asks ENTRY and calls `done` exactly once, in any thread, with the reply or a failure: the one
  /// that the actor answered, `unavailable` (no orchestrator), `timeout` (no answer within
  /// `deadline`), or `overloaded`.
  template <class Reply, class Message>
  void ask(Message message, std::chrono::milliseconds deadline,
           std::function<void(runtime::expected<Reply>)> done);

  /// The same, with `done` on the strand of `home`.
  template <class Reply, class Message>
  void ask(const exchange_ptr& home, Message message, std::chrono::milliseconds deadline,
           std::function<void(runtime::expected<Reply>)> done);

  /// Sends ENTRY a message without an answer; it is lost while there is none.
  template <class Message>
  void tell(Message message) {
    if (auto entry = targets_.entry.get())
      runtime::send_from_thread(entry, std::move(message));
  }

  /// Fails the questions that have not been answered in time. Whoever runs the connections calls it
  /// again and again: so it happens even while no actor gets on.
  void expire(std::chrono::steady_clock::time_point now);

  /// Questions that wait for an answer.
  std::size_t waiting() const {
    return calls_->size();
  }

  /// Few questions wait, and for a while no more have.
  bool has_few() const {
    return calls_->are_few();
  }

  /// Whether an orchestrator is known.
  bool has_entry() const {
    return static_cast<bool>(targets_.entry.get());
  }

  /// BRIDGE for a supervisor, which starts it again unless it ended with `stop`.
  runtime::child_spec child() const;

  /// Fails every call with `unavailable`, refuses later ones, and ends BRIDGE.
  void stop();

private:
  /// A `bridge_call`, or a `bridge_inference`.
  template <class Call>
  void send(Call call);

  bridge_targets targets_;
  std::shared_ptr<pending_calls> calls_;
  runtime::service<bridge_actor> bridge_;
};

template <class Reply, class Message>
void actor_bridge::ask(Message message, std::chrono::milliseconds deadline,
                       std::function<void(runtime::expected<Reply>)> done) {
  auto call = std::make_shared<pending_reply<Reply>>(std::move(done));
  auto number = calls_->add(call, std::chrono::steady_clock::now() + deadline);
  if (!number) {
    call->fail(number.error());
    return;
  }
  if constexpr (std::is_same_v<Message, actors::run_inference>) {
    static_assert(std::is_same_v<Reply, actors::inference_done>);
    send(bridge_inference{*number, std::move(message)});
  } else {
    auto send_it = [message = std::move(message),
                    number = *number](bridge_state::self_pointer self,
                                      const caf::actor& to) mutable {
      auto finish = [self, number](const std::function<void(pending_reply<Reply>&)>& end) {
        self->state.sent.erase(number);
        self->state.calls->finish(
          number, [&](pending_call& waiting) { end(static_cast<pending_reply<Reply>&>(waiting)); });
      };
      self->request(to, caf::infinite, std::move(message))
        .then(
          [finish](Reply& reply) {
            finish([&](pending_reply<Reply>& waiting) { waiting.succeed(std::move(reply)); });
          },
          [finish](caf::error& error) {
            auto why = runtime::to_failure(error);
            finish([&](pending_reply<Reply>& waiting) { waiting.fail(std::move(why)); });
          });
    };
    send(bridge_call{*number, std::move(send_it)});
  }
}

template <class Call>
void actor_bridge::send(Call call) {
  auto number = call.number;
  auto target = bridge_.get();
  if (target)
    runtime::send_from_thread(target, std::move(call));
  // BRIDGE may have ended in between, and then has failed only the calls before this one.
  if (!target || bridge_.get() != target)
    calls_->fail(number,
                 {runtime::error_code::unavailable, "the gateway is starting", {}});
}

template <class Reply, class Message>
void actor_bridge::ask(const exchange_ptr& home, Message message,
                       std::chrono::milliseconds deadline,
                       std::function<void(runtime::expected<Reply>)> done) {
  auto go_home = [home, done = std::move(done)](runtime::expected<Reply> outcome) {
    auto carried = std::make_shared<runtime::expected<Reply>>(std::move(outcome));
    home->post([done, carried] { done(std::move(*carried)); });
  };
  ask<Reply>(std::move(message), deadline,
             std::function<void(runtime::expected<Reply>)>{std::move(go_home)});
}

}  // namespace dim::gateway

CAF_BEGIN_TYPE_ID_BLOCK(dim_gateway, caf::id_block::dim_actors::end)
CAF_ADD_TYPE_ID(dim_gateway, (dim::gateway::bridge_call))
CAF_ADD_TYPE_ID(dim_gateway, (dim::gateway::bridge_inference))
CAF_ADD_TYPE_ID(dim_gateway, (dim::gateway::bridge_expired))
CAF_END_TYPE_ID_BLOCK(dim_gateway)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dim::gateway::bridge_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dim::gateway::bridge_inference)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(dim::gateway::bridge_expired)
