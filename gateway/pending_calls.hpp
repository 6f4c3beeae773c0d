#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "runtime/errors.hpp"
#include "runtime/spin_wait.hpp"

namespace dim::gateway {

/// A question to the actors that waits for its answer.
class pending_call {
public:
  virtual ~pending_call() = default;

  /// Ends the call without an answer.
  virtual void fail(runtime::failure why) = 0;
};

/// A call whose answer is a `Reply`. `done` is called once, by whoever takes the call out of the
/// table.
template <class Reply>
class pending_reply : public pending_call {
public:
  using callback = std::function<void(runtime::expected<Reply>)>;

  explicit pending_reply(callback done) : done_(std::move(done)) {
  }

  void succeed(Reply reply) {
    done_(std::move(reply));
  }

  void fail(runtime::failure why) override {
    done_(tl::unexpected<runtime::failure>(std::move(why)));
  }

private:
  callback done_;
};

/// The calls that wait for an answer: a bounded table, which each call leaves exactly once, by its
/// answer, its deadline, or the end of the table. Thread-safe; no callback runs under its lock.
class pending_calls {
public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit pending_calls(std::size_t calls_max) : calls_max_(calls_max) {
  }

  /// Enters a call that is to be answered by `due`, and returns its number. Errors: overloaded
  /// (full), unavailable (closed).
  runtime::expected<std::uint64_t> add(std::shared_ptr<pending_call> call, time_point due);

  /// Takes call `number` out and ends it with `end`, unless it is gone already.
  void finish(std::uint64_t number, const std::function<void(pending_call&)>& end);

  /// Takes a call out and fails it, unless it is gone already.
  void fail(std::uint64_t number, runtime::failure why);

  /// Fails the calls that were due with `timeout`, and returns their numbers.
  std::vector<std::uint64_t> expire(time_point now);

  /// Fails every call; later ones are taken as before.
  void fail_all(const runtime::failure& why);

  /// Fails every call, and refuses all later ones for the same reason. Returns when no callback
  /// runs any more (callbacks only hand the outcome on, so that is soon; after 5 s it gives up).
  void close(runtime::failure why);

  std::size_t size() const;

  /// There are few calls now, and there have been no more for a while.
  bool are_few() const;

private:
  class ending_calls;

  struct waiting_call {
    std::shared_ptr<pending_call> call;
    time_point due;
  };
  using call_map = std::map<std::uint64_t, waiting_call>;

  const std::size_t calls_max_;
  mutable std::mutex mutex_;
  std::condition_variable all_ended_;
  std::uint64_t last_number_ = 0;
  std::optional<runtime::failure> closed_;
  call_map calls_;
  /// None is due before.
  time_point next_due_ = time_point::max();
  runtime::traffic traffic_;
  /// Calls that were taken out and whose callbacks run now.
  std::size_t ending_ = 0;
};

}  // namespace dim::gateway
