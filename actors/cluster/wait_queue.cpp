#include "actors/cluster/wait_queue.hpp"

#include <algorithm>

namespace dim::actors {

wait_queue::wait_queue(std::int64_t age_ms, std::uint32_t level_max)
  : age_ms_(age_ms), level_max_(level_max) {
}

void wait_queue::push(std::uint64_t key, std::uint32_t priority, const std::string& owner,
                      std::int64_t now_ms) {
  erase(key);
  entry x{std::min(priority, level_max_), owner, now_ms + age_ms_};
  if (x.level < level_max_)
    rises_.emplace(x.rises_at_ms, key);
  enter_lane(key, x);
  entries_.emplace(key, std::move(x));
}

void wait_queue::erase(std::uint64_t key) {
  auto found = entries_.find(key);
  if (found == entries_.end())
    return;
  leave_lane(key, found->second);
  auto [first, last] = rises_.equal_range(found->second.rises_at_ms);
  auto rise = std::find_if(first, last, [key](auto& pair) { return pair.second == key; });
  if (rise != last)
    rises_.erase(rise);
  auto owner = found->second.owner;
  entries_.erase(found);
  auto owner_waits = std::any_of(levels_.begin(), levels_.end(),
                                 [&](auto& level) { return level.second.contains(owner); });
  if (!owner_waits)
    served_at_.erase(owner);
}

void wait_queue::age(std::int64_t now_ms) {
  while (!rises_.empty() && rises_.begin()->first <= now_ms) {
    auto key = rises_.begin()->second;
    rises_.erase(rises_.begin());
    auto& x = entries_.at(key);
    leave_lane(key, x);
    ++x.level;
    x.rises_at_ms += age_ms_;
    enter_lane(key, x);
    if (x.level < level_max_)
      rises_.emplace(x.rises_at_ms, key);
  }
}

std::vector<std::uint64_t> wait_queue::front(std::size_t limit) const {
  std::vector<std::uint64_t> result;
  for (auto& [level, owners] : levels_) {
    struct turn {
      std::uint64_t served_at;
      lane::const_iterator next, end;
    };
    std::vector<turn> turns;
    for (auto& [owner, keys] : owners) {
      auto served = served_at_.find(owner);
      turns.push_back({served == served_at_.end() ? 0 : served->second, keys.begin(), keys.end()});
    }
    std::stable_sort(turns.begin(), turns.end(),
                     [](const turn& a, const turn& b) { return a.served_at < b.served_at; });
    for (auto left = true; left;) {
      left = false;
      for (auto& one : turns) {
        if (one.next == one.end)
          continue;
        if (result.size() == limit)
          return result;
        result.push_back(*one.next);
        ++one.next;
        left = true;
      }
    }
  }
  return result;
}

void wait_queue::note_served(std::uint64_t key) {
  auto found = entries_.find(key);
  if (found != entries_.end())
    served_at_[found->second.owner] = ++served_counter_;
}

void wait_queue::enter_lane(std::uint64_t key, const entry& x) {
  levels_[x.level][x.owner].insert(key);
}

void wait_queue::leave_lane(std::uint64_t key, const entry& x) {
  auto level = levels_.find(x.level);
  auto owner = level->second.find(x.owner);
  owner->second.erase(key);
  if (owner->second.empty())
    level->second.erase(owner);
  if (level->second.empty())
    levels_.erase(level);
}

}  // namespace dim::actors
