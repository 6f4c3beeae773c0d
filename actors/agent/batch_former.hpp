#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Which waiting requests go into the next forward. Pure: time comes in as a number.
namespace dim::actors {

/// Why a batch left its queue: it was full, had a preferred size, its oldest request had waited
/// long enough, the worker was idle, or its request is to run alone.
enum class release_reason : std::uint8_t { none, full, preferred, delay, idle, alone };

constexpr release_reason last_value(release_reason) noexcept {
  return release_reason::alone;
}

/// "full", "preferred", ...
std::string_view to_string(release_reason reason) noexcept;

/// A request as far as batching is concerned.
struct batch_item {
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
};

/// What leaves the queue together.
struct formed_batch {
  /// In order.
  std::vector<std::uint64_t> keys;
  release_reason released = release_reason::none;
};

/// How much more the worker can be given now.
enum class worker_room : std::uint8_t {
  none,
  full_batch,  ///< It runs one batch: a second one only if waiting can not make it larger.
  any,         ///< It is idle.
};

/// The queue of an agent, and the rule by which batches leave it:
///
/// - a batch is the oldest request and every later one of the same form, as long as its rows
///   fit; a request that is to run alone is a batch by itself;
/// - it leaves when the worker is idle and its oldest request has waited `delay_us`, or as soon
///   as it is full;
/// - one full batch may wait at a busy worker, so that the worker never waits for it.
///
/// Invariants: a batch has at most `rows_max` rows, unless one request alone brings more; the
/// oldest request is always in the next batch, so none starves.
class batch_former {
public:
  /// `rows_max`: rows of one batch; 1 or less means that requests are never joined. `delay_us`: how
  /// long a request may wait for others.
  batch_former(std::int64_t rows_max, std::uint32_t delay_us)
    : rows_max_(rows_max), delay_us_(delay_us) {
  }

  /// Queues a request behind the others.
  void push(batch_item item);

  /// Queues a request before the others: it has waited its turn already.
  void push_front(batch_item item);

  /// Withdraws a request. False when it is not here.
  bool erase(std::uint64_t key);

  /// Takes the next batch out of the queue; without keys when it is to wait.
  formed_batch take(std::int64_t now_us, worker_room room);

  /// When the oldest request will have waited long enough, in microseconds; nothing when there is
  /// none. Only an idle worker needs to be told.
  std::optional<std::int64_t> due_us() const;

  std::size_t size() const noexcept {
    return queue_.size();
  }
  bool empty() const noexcept {
    return queue_.empty();
  }

private:
  struct selection {
    std::vector<std::size_t> places;
    bool full = false;
  };
  selection select() const;

  std::int64_t rows_max_;
  std::int64_t delay_us_;
  std::deque<batch_item> queue_;
};

}  // namespace dim::actors
