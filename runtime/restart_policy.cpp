#include "runtime/restart_policy.hpp"

#include <algorithm>

namespace dim::runtime {

bool is_restarted(restart_kind kind, bool ended_with_error) noexcept {
  return kind == restart_kind::permanent || (kind == restart_kind::transient && ended_with_error);
}

std::uint32_t backoff_of(std::uint32_t first_ms, std::uint32_t max_ms, std::uint32_t failures,
                         random_source& random) noexcept {
  auto doublings = std::min<std::uint32_t>(failures > 0 ? failures - 1 : 0, 31);
  auto whole = std::min<std::uint64_t>(std::uint64_t{first_ms} << doublings, max_ms);
  auto half = whole / 2;
  return static_cast<std::uint32_t>(half + random.below(whole - half + 1));
}

bool restart_window::note(std::int64_t now_ms) {
  while (!restarts_.empty() && restarts_.front() <= now_ms - std::int64_t{limits_.window_ms})
    restarts_.pop_front();
  restarts_.push_back(now_ms);
  return restarts_.size() <= limits_.restarts_max;
}

restart_plan plan_restart(restart_strategy strategy, std::size_t count, std::size_t failed) {
  auto first = strategy == restart_strategy::one_for_all ? std::size_t{0} : failed;
  auto end = strategy == restart_strategy::one_for_one ? failed + 1 : count;
  restart_plan plan;
  for (auto index = first; index < end; ++index) {
    plan.start.push_back(index);
    if (index != failed)
      plan.stop.push_back(index);
  }
  std::reverse(plan.stop.begin(), plan.stop.end());
  return plan;
}

}  // namespace dim::runtime
