#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "tools/fault/run_clock.hpp"
#include "tools/scenario/history.hpp"

namespace dim::tools {

/// What the threads of a run have seen so far. Thread-safe.
class recorder {
public:
  explicit recorder(const run_clock& clock) : clock_(clock) {
  }

  void note_submission(const std::string& key, const std::string& job_id);
  /// A client saw a job; the same state again is not noted.
  void note_sighting(const std::string& job_id, const std::string& state);
  void note_fault(const std::string& action, std::uint64_t times = 1);
  /// The gateway did not answer for this long.
  void note_outage(std::int64_t ms);
  /// Something that keeps the run from its plan; each is kept once.
  void note_problem(const std::string& words);

  /// Jobs that were acknowledged and not seen in a terminal state.
  std::vector<std::string> open_jobs() const;

  /// Submissions, sightings and faults.
  scenario::history history() const;
  std::vector<std::int64_t> outages() const;
  std::vector<std::string> problems() const;

private:
  const run_clock& clock_;
  mutable std::mutex mutex_;
  scenario::history history_;
  std::map<std::string, std::string> last_seen_;
  std::set<std::string> open_;
  std::vector<std::int64_t> outages_;
  std::set<std::string> problems_;
};

/// Whether a job in this state has ended.
bool is_end(const std::string& state);

}  // namespace dim::tools
