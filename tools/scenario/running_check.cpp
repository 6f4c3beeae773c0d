#include "tools/scenario/invariants.hpp"
#include "tools/scenario/promises.hpp"
#include "tools/scenario/score_change.hpp"

namespace dim::scenario {

namespace {

void add(std::vector<violation>& found, promise broken, std::string detail) {
  found.push_back({std::string{to_string(broken)}, std::move(detail)});
}

bool is_terminal(const std::string& state) {
  return state == "completed" || state == "failed" || state == "cancelled";
}

std::string at_event(const logged_event& event) {
  return " (event " + std::to_string(event.number) + ")";
}

/// The state behind "job_completed"; empty for other kinds.
std::string job_state_of(const std::string& kind) {
  for (const char* state :
       {"submitted", "scheduled", "running", "resumed", "completed", "failed", "cancelled"})
    if (kind == std::string{"job_"} + state)
      return state;
  return {};
}

bool is_execution_end(const std::string& kind) {
  return kind == "execution_completed" || kind == "execution_failed" || kind == "execution_lost"
         || kind == "execution_cancelled";
}

bool is_execution_start(const std::string& kind) {
  return kind == "execution_scheduled" || kind == "execution_started";
}

}  // namespace

std::vector<violation> running_check::note(const logged_event& event) {
  std::vector<violation> found;
  if (event.number != last_number_ + 1)
    add(found, promise::event_numbers_have_no_gaps,
        "event " + std::to_string(event.number) + " follows event " + std::to_string(last_number_));
  last_number_ = event.number;
  note_job(event, found);
  note_execution(event, found);
  note_node(event, found);
  note_score(event, found);
  return found;
}

void running_check::note_job(const logged_event& event, std::vector<violation>& found) {
  const auto state = job_state_of(event.kind);
  if (state.empty())
    return;
  auto& job = jobs_[event.job_id];
  if (!is_terminal(state)) {
    if (!job.logged.empty())
      add(found, promise::terminal_state_is_final,
          "job " + event.job_id + " was " + job.logged + ", then " + state + at_event(event));
    return;
  }
  if (!job.logged.empty())
    add(found, promise::acknowledged_job_ends,
        "job " + event.job_id + " ended as " + job.logged + ", then as " + state + at_event(event));
  else if (!job.seen.empty() && job.seen != state)
    add(
      found, promise::terminal_state_is_final,
      "job " + event.job_id + " was seen " + job.seen + ", and logged " + state + at_event(event));
  job.logged = state;
}

void running_check::note_execution(const logged_event& event, std::vector<violation>& found) {
  const auto is_end = is_execution_end(event.kind);
  if (!is_end && !is_execution_start(event.kind))
    return;
  const auto [end, is_first] = is_end ? ends_.try_emplace(event.execution_id, event.kind)
                                      : std::pair{ends_.find(event.execution_id), false};
  if (end == ends_.end() || is_first)
    return;
  const auto was_lost = end->second == "execution_lost";
  add(found, was_lost ? promise::fenced_changes_nothing : promise::execution_counts_once,
      "execution " + event.execution_id + " of job " + event.job_id + ": " + end->second + ", then "
        + event.kind + at_event(event));
}

void running_check::note_node(const logged_event& event, std::vector<violation>& found) {
  if (event.kind == "node_joined" || event.kind == "node_left")
    lost_.erase(event.node_id);
  if (event.kind == "node_lost" && !lost_.try_emplace(event.node_id, false).second)
    add(found, promise::lost_once_a_loss,
        "node " + event.node_id + " was lost again before it had joined" + at_event(event));
}

void running_check::note_score(const logged_event& event, std::vector<violation>& found) {
  const auto change = score_change_of(event);
  if (!change)
    return;
  if (change->reason == "lost") {
    auto loss = lost_.find(event.node_id);
    if (loss == lost_.end() || loss->second)
      add(found, promise::lost_once_a_loss,
          "node " + event.node_id + " was punished "
            + (loss == lost_.end() ? "without a loss" : "twice for one loss") + at_event(event));
    else
      loss->second = true;
  }
  if (event.execution_id.empty())
    return;
  if (!scored_.insert(event.execution_id).second)
    add(found, promise::execution_counts_once,
        "execution " + event.execution_id + " was scored twice" + at_event(event));
  const auto end = ends_.find(event.execution_id);
  if (end != ends_.end() && end->second == "execution_lost")
    add(found, promise::fenced_changes_nothing,
        "execution " + event.execution_id + " was scored after it was lost" + at_event(event));
}

std::vector<violation> running_check::note(const sighting& seen) {
  std::vector<violation> found;
  auto& job = jobs_[seen.job_id];
  if (!job.seen.empty() && job.seen != seen.state)
    add(found, promise::terminal_state_is_final,
        "job " + seen.job_id + " was seen " + job.seen + ", then " + seen.state);
  if (!is_terminal(seen.state))
    return found;
  if (job.seen.empty() && !job.logged.empty() && job.logged != seen.state)
    add(found, promise::terminal_state_is_final,
        "job " + seen.job_id + " was logged " + job.logged + ", and seen " + seen.state);
  job.seen = seen.state;
  return found;
}

std::vector<violation> running_check::note(const submission& made) {
  std::vector<violation> found;
  const auto [job, is_new_job] = key_of_job_.try_emplace(made.job_id, made.idempotency_key);
  if (!is_new_job && (made.idempotency_key.empty() || job->second != made.idempotency_key))
    add(found, promise::one_job_per_key,
        "job " + made.job_id + " answers the keys \"" + job->second + "\" and \""
          + made.idempotency_key + "\"");
  if (made.idempotency_key.empty())
    return found;
  const auto [key, is_new_key] = job_of_key_.try_emplace(made.idempotency_key, made.job_id);
  if (!is_new_key && key->second != made.job_id)
    add(
      found, promise::one_job_per_key,
      "key \"" + made.idempotency_key + "\" made the jobs " + key->second + " and " + made.job_id);
  return found;
}

std::string running_check::logged_end_of(const std::string& job_id) const {
  const auto found = jobs_.find(job_id);
  return found == jobs_.end() ? std::string{} : found->second.logged;
}

}  // namespace dim::scenario
