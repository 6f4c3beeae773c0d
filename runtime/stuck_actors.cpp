#include "runtime/stuck_actors.hpp"

namespace dim::runtime {

std::vector<working_actor> find_stuck(std::vector<working_actor> working, std::int64_t limit_ns,
                                      std::int64_t now_ns) {
  std::erase_if(working, [&](const working_actor& each) {
    return limit_ns <= 0 || each.works_long || now_ns - each.since_ns < limit_ns;
  });
  return working;
}

stuck_changes stuck_history::note(const std::vector<working_actor>& stuck) {
  stuck_changes result;
  auto before = std::exchange(known_, {});
  for (auto& each : stuck) {
    auto key = std::pair{each.id, each.since_ns};
    if (before.erase(key) == 0)
      result.begun.push_back(each);
    known_.emplace(key, each);
  }
  for (auto& [key, each] : before)
    result.ended.push_back(std::move(each));
  return result;
}

}  // namespace dim::runtime
