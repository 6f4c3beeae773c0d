#include "tools/fault/watcher.hpp"

#include <algorithm>

#include "tools/fault/strike_plan.hpp"

namespace dim::tools {

namespace {

constexpr std::int64_t pause_ms = 100;
/// Rounds from one look at the faults to the next.
constexpr int rounds_between = 5;
/// Jobs that one round looks at.
constexpr std::size_t jobs_max = 20;

}  // namespace

void watcher::run() {
  for (int round = 0; clock_.wait_for(pause_ms); ++round) {
    look_at_jobs();
    if (has_faults_ && round % rounds_between == 0)
      look_at_faults();
  }
}

gateway_reply watcher::get(const std::string& target) {
  const auto asked_ms = clock_.now_ms();
  auto reply = client_.get(target);
  if (reply.may_heal() && !away_since_ms_)
    away_since_ms_ = asked_ms;
  if (!reply.may_heal() && away_since_ms_)
    records_.note_outage(clock_.now_ms() - *std::exchange(away_since_ms_, std::nullopt));
  return reply;
}

void watcher::look_at_jobs() {
  const auto open = records_.open_jobs();
  if (open.empty())
    get("/health/live");
  for (std::size_t count = 0; count < std::min(jobs_max, open.size()); ++count) {
    const auto& id = open[next_job_++ % open.size()];
    const auto reply = get("/api/v1/jobs/" + id);
    if (reply.may_heal())
      return;
    if (reply.is_good())
      records_.note_sighting(id, text_at(reply.body, "status"));
  }
}

void watcher::look_at_faults() {
  const auto reply = get("/api/v1/faults");
  for (const auto& each : list_at(reply.body, "faults")) {
    // The others count once for each time that they were struck.
    const auto action = scenario::fault_action_from(text_at(each, "action"));
    if (!action || !is_held(*action))
      continue;
    const auto hit = static_cast<std::uint64_t>(number_at(each, "strikes"));
    auto& known = strikes_[text_at(each, "id")];
    if (hit > known)
      records_.note_fault(text_at(each, "action"), hit - std::exchange(known, hit));
  }
}

}  // namespace dim::tools
