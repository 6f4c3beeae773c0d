#include "actors/node/work_queue.hpp"

namespace dim::actors {

namespace {

// How deep one look into the queue goes: it keeps the work after each completion small.
constexpr std::size_t look_ahead_max = 64;

}  // namespace

bool work_queue::push(const std::string& key, std::uint32_t priority) {
  if (is_full())
    return false;
  auto where = place{-static_cast<std::int64_t>(priority), arrivals_++};
  queue_.emplace(where, waiting{key});
  places_.emplace(key, where);
  return true;
}

bool work_queue::erase(const std::string& key) {
  auto found = places_.find(key);
  if (found == places_.end())
    return false;
  queue_.erase(found->second);
  places_.erase(found);
  return true;
}

void work_queue::start_waiting(
  const std::function<start_outcome(const std::string&)>& try_start) {
  std::vector<waiting*> without_room;
  std::size_t looked_at = 0;
  for (auto entry = queue_.begin(); entry != queue_.end() && looked_at < look_ahead_max;) {
    ++looked_at;
    auto outcome = try_start(entry->second.key);
    if (outcome == start_outcome::started) {
      for (auto* other : without_room)
        ++other->passed;
      places_.erase(entry->second.key);
      entry = queue_.erase(entry);
    } else {
      if (outcome == start_outcome::no_room)
        without_room.push_back(&entry->second);
      ++entry;
    }
    for (auto* other : without_room)
      if (other->passed >= passes_max_)
        return;
  }
}

std::vector<std::string> work_queue::keys() const {
  std::vector<std::string> result;
  result.reserve(queue_.size());
  for (auto& [where, entry] : queue_)
    result.push_back(entry.key);
  return result;
}

}  // namespace dim::actors
