// pattern_run and stragglers: a second execution of a place, beside one that takes long.
#include <algorithm>

#include "actors/engine/pattern_run.hpp"

namespace dim::actors {

bool pattern_run::may_hedge(place_id place) const {
  // A replicated job has its redundancy; the others are bound to the node of their data or answers.
  auto found = open_.find(place);
  return arguments_.spec.hedge_after_ms > 0 && arguments_.spec.kind != pattern::replicated
         && found != open_.end() && !found->second.hedged
         && found->second.plan.retry == retry_place::other_node;
}

void pattern_run::plan_hedge(live_execution& live) {
  if (may_hedge(live.place))
    live.hedge_at_ms = now_ms_ + static_cast<std::int64_t>(arguments_.spec.hedge_after_ms);
}

std::int64_t pattern_run::next_look_ms() const noexcept {
  auto next = look_at_ms_;
  for (auto& [id, live] : live_)
    if (live.hedge_at_ms > 0)
      next = std::min(next, live.hedge_at_ms);
  return next;
}

void pattern_run::add_due_hedges() {
  std::vector<execution_record> slow;
  for (auto& [id, live] : live_)
    if (live.hedge_at_ms > 0 && live.hedge_at_ms <= now_ms_) {
      live.hedge_at_ms = 0;
      slow.push_back(live.record);
    }
  for (auto& record : slow) {
    const place_id place{record.step, record.slot};
    if (phase_ != phase::running || !may_hedge(place))
      continue;
    auto& open = open_.at(place);
    open.hedged = true;
    auto request = make_request(place, open);
    request.exclude.push_back(record.node_id);
    effects_.emplace_back(place_executions{{std::move(request)}, time_left_ms()});
  }
}

bool pattern_run::has_rival(place_id place) const {
  return std::any_of(live_.begin(), live_.end(),
                     [place](auto& entry) { return entry.second.place == place; });
}

void pattern_run::withdraw_rivals(place_id place) {
  for (auto entry = live_.begin(); entry != live_.end();) {
    if (entry->second.place != place) {
      ++entry;
      continue;
    }
    withdraw(entry->second);
    entry = live_.erase(entry);
  }
}

}  // namespace dim::actors
