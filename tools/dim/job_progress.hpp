#pragma once

#include <cstddef>
#include <string>

#include "tools/dim/json_fields.hpp"

namespace dim::tools {

/// How far a job is, from its JSON and that of its executions.
struct job_progress {
  std::string status;
  std::string pattern;
  /// Places of the plan (replicas, voters, steps, participants) that have an answer, and all of
  /// them; 0 while they are not known.
  std::size_t done = 0;
  std::size_t total = 0;
  /// Attempts that run now, and that failed or were lost.
  std::size_t running = 0;
  std::size_t failed = 0;

  bool is_terminal() const;
  /// From 0 to 1.
  double share() const;
  /// "running, 2 of 3 answers, 1 runs, 1 failed".
  std::string text() const;
  bool operator==(const job_progress&) const = default;
};

/// `executions` is the answer of the executions' route.
job_progress progress_of(const json& job, const json& executions);

/// Whether a job with this status has ended.
bool is_terminal_status(const std::string& status);

}  // namespace dim::tools
