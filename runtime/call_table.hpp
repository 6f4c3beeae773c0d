#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include <caf/all.hpp>

#include "runtime/actor_base.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/deadline_alarm.hpp"

namespace dim::runtime {

/// The requests of one actor that wait for a reply: the only way in which actors ask others across
/// processes, and the cheap way to ask with a deadline inside one.
///
/// CAF never fails a request whose receiver is gone, and never cancels a request's timer. Here one
/// timer serves all requests of an actor, the loss of a node fails all that was asked of it at
/// once, and replies that come late find nobody. Every call ends in exactly one call of its
/// `on_result`, unless the actor itself ends first: an actor that holds promises calls `fail_all`
/// before it quits.
///
/// A member of the actor's state (one in each), used from the actor's own thread:
///
///     calls.call(self, models.get(), 10'000, "orchestrator", fetch_chunk{digest, 0, length},
///                [this](runtime::expected<chunk> reply) { ... });
class call_table : private deadline_watcher {
public:
  /// More than `pending_max` calls at the same time are refused as `overloaded`.
  explicit call_table(std::size_t pending_max = 65'536) : pending_max_(pending_max) {
  }

  call_table(const call_table&) = delete;
  call_table& operator=(const call_table&) = delete;

  /// Sends `message` to `target` (typed, or `caf::actor`) and hands the reply, or why there is
  /// none, to `on_result`, a function of one `runtime::expected<Reply>`. `node_key` names what the
  /// target lives on, for `fail_node`; it is empty for local targets. An empty target
  /// (`unavailable`) and a full table (`overloaded`) are told to `on_result` before this returns.
  /// Other failures: `timeout` after `deadline_ms`, what the target answered, what `fail_node` and
  /// `fail_all` were given.
  template <class Self, class Target, class Message, class OnResult>
  void call(Self* self, const Target& target, std::uint64_t deadline_ms, std::string node_key,
            Message message, OnResult on_result);

  /// Fails every call of this node with `reason`, before this returns.
  void fail_node(const std::string& node_key, const failure& reason);

  /// Fails every call with `reason`, before this returns.
  void fail_all(const failure& reason);

  /// Calls that wait for a reply.
  std::size_t size() const noexcept {
    return pending_.size();
  }

private:
  using failure_function = std::function<void(const failure&)>;

  struct entry {
    std::string node_key;
    std::int64_t due_ns = 0;
    std::uint64_t deadline_ms = 0;
    caf::message_id reply;
    failure_function fail;
  };

  void pass_deadline(std::int64_t due_ns) override;

  /// Keeps the entry until it is answered or failed.
  void add(std::uint64_t id, entry what);

  /// Forgets the entry; false when it was answered or failed before.
  bool take(std::uint64_t id, entry& what);

  void fail(std::uint64_t id, const failure& reason);

  /// Sees to it that a timer fires at the earliest deadline.
  void arm();

  std::size_t pending_max_;
  std::uint64_t last_id_ = 0;
  call_owner* owner_ = nullptr;
  std::map<std::uint64_t, entry> pending_;
  /// (due, id) of every entry.
  std::set<std::pair<std::int64_t, std::uint64_t>> deadlines_;
  deadline_alarm alarm_;
};

/// `Reply` of a function of one `expected<Reply>`.
template <class OnResult>
struct reply_of {
  using arguments = typename caf::detail::get_callable_trait<OnResult>::arg_types;
  using argument = std::decay_t<typename caf::detail::tl_head<arguments>::type>;
  using type = typename argument::value_type;
};

template <class Self, class Target, class Message, class OnResult>
void call_table::call(Self* self, const Target& target, std::uint64_t deadline_ms,
                      std::string node_key, Message message, OnResult on_result) {
  using reply_type = typename reply_of<OnResult>::type;
  using result_type = expected<reply_type>;
  if (!target)
    return on_result(result_type{dim::runtime::fail(error_code::unavailable,
                                                    "the service is not running now")});
  if (pending_.size() >= pending_max_)
    return on_result(result_type{dim::runtime::fail(error_code::overloaded,
                                                    "too many requests wait for replies")});
  owner_ = self;
  auto id = ++last_id_;
  auto shared = std::make_shared<OnResult>(std::move(on_result));
  auto request = self->request(target, caf::infinite, std::move(message));
  request.then(
    [this, id, shared](reply_type& reply) {
      entry answered;
      if (take(id, answered))
        (*shared)(result_type{std::move(reply)});
    },
    [this, id](caf::error& error) { fail(id, to_failure(error)); });
  add(id, {std::move(node_key),
           owner_->clock_now_ns() + static_cast<std::int64_t>(deadline_ms) * 1'000'000, deadline_ms,
           request.id(), [shared](const failure& reason) {
             (*shared)(result_type{tl::unexpected<failure>(reason)});
           }});
}

}  // namespace dim::runtime
