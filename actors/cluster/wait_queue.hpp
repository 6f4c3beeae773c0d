#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

/// The order in which waiting work is looked at. Pure: time comes in as a number.
namespace dim::actors {

/// Waiting keys by priority level (higher first); within a level owners take turns, and each
/// owner's own are first in, first out. Waiting raises a key by one level every `age_ms`.
class wait_queue {
public:
  explicit wait_queue(std::int64_t age_ms, std::uint32_t level_max = 9);

  void push(std::uint64_t key, std::uint32_t priority, const std::string& owner,
            std::int64_t now_ms);
  void erase(std::uint64_t key);

  /// Raises what has waited long enough.
  void age(std::int64_t now_ms);

  /// The first `limit` keys in their order.
  std::vector<std::uint64_t> front(std::size_t limit) const;

  /// The owner of `key` got something: others have their turn first.
  void note_served(std::uint64_t key);

  std::size_t size() const noexcept {
    return entries_.size();
  }
  bool empty() const noexcept {
    return entries_.empty();
  }

private:
  struct entry {
    std::uint32_t level = 0;
    std::string owner;
    std::int64_t rises_at_ms = 0;
  };
  using lane = std::set<std::uint64_t>;  // one owner's keys, which grow with time

  void enter_lane(std::uint64_t key, const entry& x);
  void leave_lane(std::uint64_t key, const entry& x);

  std::int64_t age_ms_;
  std::uint32_t level_max_;
  std::map<std::uint64_t, entry> entries_;
  std::multimap<std::int64_t, std::uint64_t> rises_;
  std::map<std::uint32_t, std::map<std::string, lane>, std::greater<>> levels_;
  std::map<std::string, std::uint64_t> served_at_;
  std::uint64_t served_counter_ = 0;
};

}  // namespace dim::actors
