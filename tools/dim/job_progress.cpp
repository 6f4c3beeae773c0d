#include "tools/dim/job_progress.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace dim::tools {

namespace {

/// How many answers the job's plan asks for; 0 where only its executions tell.
std::size_t planned(const json& job) {
  const auto pattern = text_at(job, "pattern");
  if (pattern == "single")
    return 1;
  if (pattern == "replicated")
    return static_cast<std::size_t>(std::max<std::int64_t>(number_at(job, "redundancy"), 0));
  if (pattern == "comparative")
    return list_at(job, "models").size();
  return pattern == "chained" ? list_at(job, "steps").size() : 0;
}

}  // namespace

bool is_terminal_status(const std::string& status) {
  return status == "completed" || status == "failed" || status == "cancelled";
}

bool job_progress::is_terminal() const {
  return is_terminal_status(status);
}

double job_progress::share() const {
  if (is_terminal())
    return 1.0;
  return total == 0 ? 0.0 : static_cast<double>(done) / static_cast<double>(total);
}

std::string job_progress::text() const {
  auto result = status;
  if (total > 0)
    result += ", " + std::to_string(done) + " of " + std::to_string(total)
              + (total == 1 ? " answer" : " answers");
  if (running > 0)
    result += ", " + std::to_string(running) + (running == 1 ? " runs" : " run");
  if (failed > 0)
    result += ", " + std::to_string(failed) + " failed";
  return result;
}

job_progress progress_of(const json& job, const json& executions) {
  job_progress result;
  result.status = text_at(job, "status");
  result.pattern = text_at(job, "pattern");
  std::set<std::pair<std::int64_t, std::int64_t>> places;
  std::set<std::pair<std::int64_t, std::int64_t>> answered;
  for (const auto& x : list_at(executions, "executions")) {
    const std::pair place{number_at(x, "step"), number_at(x, "slot")};
    const auto status = text_at(x, "status");
    places.insert(place);
    if (status == "completed")
      answered.insert(place);
    result.running += status == "running" ? 1 : 0;
    result.failed += status == "failed" || status == "lost" ? 1 : 0;
  }
  result.done = answered.size();
  result.total = std::max(planned(job), places.size());
  return result;
}

}  // namespace dim::tools
