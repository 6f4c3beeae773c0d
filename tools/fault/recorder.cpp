#include "tools/fault/recorder.hpp"

namespace dim::tools {

bool is_end(const std::string& state) {
  return state == "completed" || state == "failed" || state == "cancelled";
}

void recorder::note_submission(const std::string& key, const std::string& job_id) {
  std::lock_guard guard{mutex_};
  history_.submissions.push_back({key, job_id, clock_.now_ms()});
  const auto seen = last_seen_.find(job_id);
  if (seen == last_seen_.end() || !is_end(seen->second))
    open_.insert(job_id);
}

void recorder::note_sighting(const std::string& job_id, const std::string& state) {
  std::lock_guard guard{mutex_};
  auto& last = last_seen_[job_id];
  if (last == state)
    return;
  last = state;
  history_.sightings.push_back({job_id, state, clock_.now_ms()});
  if (is_end(state))
    open_.erase(job_id);
}

void recorder::note_fault(const std::string& action, std::uint64_t times) {
  std::lock_guard guard{mutex_};
  history_.faults[action] += times;
}

void recorder::note_outage(std::int64_t ms) {
  std::lock_guard guard{mutex_};
  outages_.push_back(ms);
}

void recorder::note_problem(const std::string& words) {
  std::lock_guard guard{mutex_};
  problems_.insert(words);
}

std::vector<std::string> recorder::open_jobs() const {
  std::lock_guard guard{mutex_};
  return {open_.begin(), open_.end()};
}

scenario::history recorder::history() const {
  std::lock_guard guard{mutex_};
  return history_;
}

std::vector<std::int64_t> recorder::outages() const {
  std::lock_guard guard{mutex_};
  return outages_;
}

std::vector<std::string> recorder::problems() const {
  std::lock_guard guard{mutex_};
  return {problems_.begin(), problems_.end()};
}

}  // namespace dim::tools
