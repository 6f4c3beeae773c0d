#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include "runtime/caf_errors.hpp"
#include "runtime/messages.hpp"
#include "runtime/spawn.hpp"
#include "runtime/system.hpp"

namespace dim::tests {

/// The reply to a request that may still be on its way; empty until it has come.
template <class Reply>
using pending_reply = std::shared_ptr<std::optional<runtime::expected<Reply>>>;

/// Keeps every message that a probe has got, in order.
class inbox {
public:
  void put(caf::message content) {
    messages_.push_back(std::move(content));
  }

  /// How many messages have come, whatever their type.
  std::size_t size() const {
    return messages_.size();
  }

  /// All messages that are exactly one `T`, oldest first.
  template <class T>
  std::vector<T> all() const {
    std::vector<T> result;
    for (auto& content : messages_)
      if (content.match_elements<T>())
        result.push_back(content.get_as<T>(0));
    return result;
  }

  /// How many messages are exactly one `T`.
  template <class T>
  std::size_t count() const {
    return all<T>().size();
  }

  void clear() {
    messages_.clear();
  }

private:
  std::vector<caf::message> messages_;
};

/// An actor system that lives in one thread under virtual time: nothing runs until `run`, `advance`
/// or `ask` is called, and time stands still until `advance` moves it. Each test case makes its
/// own. Actors made here must not be sent to from other threads.
class runtime_fixture {
public:
  using configure_function = std::function<void(runtime::system_config&)>;

  /// `configure` may add message types before the system starts.
  explicit runtime_fixture(std::uint64_t seed = 1, const configure_function& configure = {});

  /// Kills every actor, drops every timer, ends the system.
  ~runtime_fixture();

  runtime_fixture(const runtime_fixture&) = delete;
  runtime_fixture& operator=(const runtime_fixture&) = delete;

  /// The actor system, to spawn into.
  caf::actor_system& sys() {
    return *system_;
  }
  runtime::system_context& context() {
    return *config_->context;
  }

  /// Handles messages until no actor has one. Fails the test after `messages_max`, which tells of
  /// two actors that answer each other for ever. Returns how many were handled.
  std::size_t run(std::size_t messages_max = 2'000'000);

  /// Handles what waits, then moves time on by `duration_ms`, from one due timer to the next, and
  /// handles what each of them starts.
  void advance(std::int64_t duration_ms);

  /// Time goes on, but nothing runs meanwhile, as in a process that is stopped.
  void sleep_through(std::int64_t duration_ms);

  /// Milliseconds of virtual time since the fixture was made.
  std::int64_t now_ms() const;

  /// Timers that have not fired yet: delayed messages and request timeouts.
  std::size_t timers() const;

  /// Sends `content` as nobody and handles what follows.
  template <class Handle, class... Contents>
  void send(const Handle& to, Contents&&... content) {
    caf::anon_send(to, std::forward<Contents>(content)...);
    run();
  }

  /// Sends `content` in the name of `from`, to actors that answer their sender with messages.
  template <class From, class To, class... Contents>
  void send_from(const From& from, const To& to, Contents&&... content) {
    post(caf::actor_cast<caf::strong_actor_ptr>(from), caf::actor_cast<caf::strong_actor_ptr>(to),
         caf::make_message(std::forward<Contents>(content)...));
    run();
  }

  /// Sends a request and returns at once; `run` or `advance` brings the reply.
  template <class Reply, class Handle, class... Contents>
  pending_reply<Reply> request(const Handle& to, Contents&&... content) {
    auto reply = std::make_shared<std::optional<runtime::expected<Reply>>>();
    auto message = std::make_tuple(std::decay_t<Contents>(std::forward<Contents>(content))...);
    askers_.push_back(caf::actor_cast<caf::actor_addr>(sys().spawn<caf::hidden>(
      [reply, to, message](caf::event_based_actor* self) {
        auto on_reply = [reply](Reply& x) { *reply = std::move(x); };
        auto on_error = [reply](caf::error& x) {
          *reply = tl::unexpected<runtime::failure>(runtime::to_failure(x));
        };
        std::apply(
          [&](auto&... parts) {
            self->request(to, caf::infinite, parts...).then(on_reply, on_error);
          },
          const_cast<std::remove_const_t<decltype(message)>&>(message));
      })));
    return reply;
  }

  /// Sends a request and handles messages until nothing is left to do, without moving time. A
  /// request without a reply by then is a failure with code `timeout`.
  template <class Reply, class Handle, class... Contents>
  runtime::expected<Reply> ask(const Handle& to, Contents&&... content) {
    return ask_within<Reply>(0, to, std::forward<Contents>(content)...);
  }

  /// The same, moving time on by up to `wait_ms` until the reply comes.
  template <class Reply, class Handle, class... Contents>
  runtime::expected<Reply> ask_within(std::int64_t wait_ms, const Handle& to,
                                      Contents&&... content) {
    auto reply = request<Reply>(to, std::forward<Contents>(content)...);
    run();
    advance_until(now_ms() + wait_ms, [reply] { return reply->has_value(); });
    if (reply->has_value())
      return **reply;
    return runtime::fail(runtime::error_code::timeout, "no reply in the test's time");
  }

  /// Makes an actor with interface `Handle` (or `caf::actor`) from one lambda a message. The
  /// lambdas may capture what lives at least as long as the fixture's actors.
  template <class Handle, class... Handlers>
  Handle fake(Handlers... handlers);

  /// Makes an untyped actor that keeps whatever it gets in `box` and answers nothing.
  caf::actor probe(const std::shared_ptr<inbox>& box);

  /// Ends the actor at once, as a crash would, and handles what follows.
  template <class Handle>
  void kill(const Handle& target, caf::exit_reason reason = caf::exit_reason::kill) {
    caf::anon_send_exit(target, reason);
    run();
  }

  /// Whether the actor has not ended.
  template <class Handle>
  bool is_alive(const Handle& target) {
    auto* actor = caf::actor_cast<caf::abstract_actor*>(target);
    return actor != nullptr && !actor->getf(caf::abstract_actor::is_terminated_flag);
  }

  /// Why the actor has ended; nothing while it lives. Code `none` is a normal end.
  template <class Handle>
  std::optional<runtime::failure> end_of(const Handle& target) {
    auto reason = std::make_shared<std::optional<runtime::failure>>();
    caf::actor_cast<caf::abstract_actor*>(target)->attach_functor(
      [reason](const caf::error& x) { *reason = runtime::to_failure(x); });
    return *reason;
  }

  /// Living actors with this name, from the process's table.
  std::size_t count_actors(const std::string& name);

private:
  struct fake_state {
    static inline const char* name = "FAKE";
  };

  /// Steps to the next due timer until `done` or virtual time `until_ms`.
  void advance_until(std::int64_t until_ms, const std::function<bool()>& done);

  void post(const caf::strong_actor_ptr& from, const caf::strong_actor_ptr& to,
            caf::message content);
  void kill_all();
  caf::scheduler::test_coordinator& scheduler() const;

  std::unique_ptr<runtime::system_config> config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::actor_clock::time_point start_;
  std::vector<caf::actor_addr> askers_;
};

template <class Handle, class... Handlers>
Handle runtime_fixture::fake(Handlers... handlers) {
  using self_pointer = runtime::actor_self<Handle, fake_state>;
  using behavior_type = typename std::remove_pointer_t<self_pointer>::behavior_type;
  return sys().spawn([handlers...](self_pointer) -> behavior_type { return {handlers...}; });
}

}  // namespace dim::tests
