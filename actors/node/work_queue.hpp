#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

/// The order in which a node's waiting executions start. Pure: no actor, no clock.
namespace dim::actors {

/// What became of an attempt to start an execution.
enum class start_outcome : std::uint8_t {
  started,    ///< It runs, and has left the queue.
  not_ready,  ///< Its model or inputs are still on their way; others may go first, without limit.
  no_room,    ///< No device has room for it; a few others may go first.
};

/// Executions that wait in NODE: the higher priority first, then first in, first out. One that
/// finds no room lets smaller ones pass, but only `passes_max` of them, so that it can not starve.
class work_queue {
public:
  /// `size_max`: executions that may wait.
  explicit work_queue(std::size_t size_max, std::uint32_t passes_max = 16)
    : size_max_(size_max), passes_max_(passes_max) {
  }

  /// Queues `key`, which must not be in the queue. False when the queue is full.
  bool push(const std::string& key, std::uint32_t priority);

  /// Withdraws `key`. False when it is not here.
  bool erase(const std::string& key);

  /// Offers the waiting executions to `try_start`, in order, as far as the rule about passing
  /// allows; those that started are removed. `try_start` must not touch the queue.
  void start_waiting(const std::function<start_outcome(const std::string&)>& try_start);

  bool contains(const std::string& key) const {
    return places_.contains(key);
  }
  bool is_full() const noexcept {
    return places_.size() >= size_max_;
  }
  std::size_t size() const noexcept {
    return places_.size();
  }
  /// All keys, in their order.
  std::vector<std::string> keys() const;

private:
  /// Negated priority, then arrival: the order of the queue.
  using place = std::pair<std::int64_t, std::uint64_t>;

  struct waiting {
    std::string key;
    /// Executions behind this one that started while it found no room.
    std::uint32_t passed = 0;
  };

  std::size_t size_max_;
  std::uint32_t passes_max_;
  std::uint64_t arrivals_ = 0;
  std::map<place, waiting> queue_;
  std::map<std::string, place> places_;
};

}  // namespace dim::actors
