#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/agent/release_reason.hpp"
#include "models/model_spec.hpp"

/// Which waiting requests go into the next forward. Pure: time comes in as a number.
namespace dim::actors {

/// A request as far as batching is concerned.
struct queued_request {
  /// Names the request.
  std::uint64_t key = 0;
  /// Rows that it brings along the batch dimension, at least 1.
  std::int64_t rows = 1;
  /// Runs in a forward of its own, and nothing else is given to the worker meanwhile.
  bool alone = false;
  /// Only requests of equal form can be joined.
  std::string form;
  /// When it came, in microseconds.
  std::int64_t arrived_us = 0;
  /// Somebody waits on a connection: a busy worker may be given it as it is.
  bool hurried = false;
  /// 0: the model's default; 1 is first.
  std::uint32_t priority = 0;
  /// The longest wait that it asks for itself; 0: it does not.
  std::uint64_t timeout_us = 0;
};

/// What leaves the queue together.
struct formed_batch {
  /// In order.
  std::vector<std::uint64_t> keys;
  release_reason released = release_reason::none;
};

/// How much more the worker can be given now.
enum class queue_room : std::uint8_t {
  none,
  full_batch,  ///< It runs one batch: a second one only if waiting can not make it larger.
  hurried,     ///< The same, but also one whose first request is hurried, whatever its size.
  any,         ///< It is idle.
};

/// The queue of an agent, and the rule by which batches leave it:
///
/// - requests wait by priority, and within a priority by age; the first of them is the first of the
///   next batch, which takes every later one of the same form, as long as its rows fit; a request
///   that is to run alone is a batch by itself;
/// - a batch leaves when the worker is idle and its first request has waited `delay_us`, or as soon
///   as it is full, or has a preferred size;
/// - one batch may wait at a busy worker (see `queue_room`), so that it never waits for one.
///
/// A request that has waited for its queue timeout is given up, or, as the policy says, goes behind
/// all others. Invariants: a batch has at most `rows_max` rows, unless one request alone brings
/// more; the first request is always in the next batch, so within a priority none starves.
class batch_queue {
public:
  /// `rows_max`: rows of one batch; 1 or less means that requests are never joined. `delay_us`: how
  /// long a request may wait for others.
  batch_queue(std::int64_t rows_max, std::uint32_t delay_us, models::batching_policy policy = {});

  /// Why the queue of this priority takes no more, in words; empty when it does.
  std::string refusal_of(std::uint32_t priority) const;

  /// Queues a request behind the others of its priority.
  void push(queued_request item);

  /// Queues a request before all others: it has waited its turn already.
  void push_front(queued_request item);

  /// Withdraws a request. False when it is not here.
  bool erase(std::uint64_t key);

  /// Takes the next batch out of the queue; without keys when it is to wait.
  formed_batch take(std::int64_t now_us, queue_room room);

  /// Takes out the requests whose queue timeout has passed, and moves those that may wait on behind
  /// all others.
  std::vector<std::uint64_t> take_late(std::int64_t now_us);

  /// When the first request will have waited long enough, in microseconds; nothing when there is
  /// none. Only an idle worker needs to be told.
  std::optional<std::int64_t> due_us() const;

  /// When the next queue timeout will have passed; nothing when there is none.
  std::optional<std::int64_t> timeout_due_us() const;

  /// Begins all queue timeouts anew: nobody could serve before.
  void restart_timeouts(std::int64_t now_us);

  /// Whether the model's policy says who goes first, or who waits how long, or how many.
  bool has_rules() const;

  std::size_t size() const noexcept {
    return size_;
  }
  bool empty() const noexcept {
    return size_ == 0;
  }

private:
  struct waiting_item {
    queued_request item;
    /// 0: none.
    std::int64_t timeout_at_us = 0;
    models::timeout_action on_timeout = models::timeout_action::reject;
    std::int64_t timeout_us = 0;
  };
  using waiting_queue = std::deque<waiting_item>;
  /// By level, in the order in which they are served.
  using queue_map = std::map<std::uint32_t, waiting_queue>;

  struct selection {
    /// Keys in order, the first being the first of the queue.
    std::vector<std::uint64_t> keys;
    bool full = false;
    /// How many of them make up a preferred size; 0: none does.
    std::size_t preferred = 0;
  };

  std::uint32_t level_of(std::uint32_t priority) const;
  const models::queue_policy& policy_of(std::uint32_t level) const;
  const queued_request& first() const;
  selection select() const;
  bool is_preferred(std::int64_t rows) const;
  void remove(const std::vector<std::uint64_t>& keys);

  std::int64_t rows_max_;
  std::int64_t delay_us_;
  models::batching_policy policy_;
  queue_map queues_;
  std::size_t size_ = 0;
  /// Requests with a queue timeout.
  std::size_t timed_ = 0;
};

}  // namespace dim::actors
