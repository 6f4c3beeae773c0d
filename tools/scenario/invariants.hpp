#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tools/scenario/history.hpp"

/// The promises of the system, checked over a recorded history.
namespace dim::scenario {

/// A promise that was broken.
struct violation {
  /// Its name, for instance "one_terminal_state".
  std::string invariant;
  /// Which job, node or event, and what was seen.
  std::string detail;

  bool operator==(const violation&) const = default;
};

/// What one invariant found; there is one for each of promises.hpp.
struct verdict {
  std::string invariant;
  /// What it promises, in a sentence.
  std::string promise;
  /// How many things it looked at: 0 means that it proved nothing.
  std::uint64_t checked = 0;
  std::vector<violation> violations;
};

/// Checks everything that may be checked once a run is over: all invariants.
std::vector<verdict> check(const history& seen);

/// Checks while a run goes on, one event or sighting at a time, what can be known at once: numbers
/// without gaps, one terminal state which never changes, an execution that counts once. Cheap
/// enough to be called after every step.
class running_check {
public:
  /// `events_after`: the number of the last event before the first that will be noted.
  explicit running_check(std::uint64_t events_after = 0) : last_number_(events_after) {
  }

  /// What is wrong with this one, given all before.
  std::vector<violation> note(const logged_event& event);
  std::vector<violation> note(const sighting& seen);
  std::vector<violation> note(const submission& made);

  /// The terminal state that the event log tells of a job; "" while there is none.
  std::string logged_end_of(const std::string& job_id) const;

private:
  struct job_trace {
    /// The terminal states in the log and as a client saw it; "" until there is one.
    std::string logged;
    std::string seen;
  };

  void note_job(const logged_event& event, std::vector<violation>& found);
  void note_execution(const logged_event& event, std::vector<violation>& found);
  void note_node(const logged_event& event, std::vector<violation>& found);
  void note_score(const logged_event& event, std::vector<violation>& found);

  std::uint64_t last_number_;
  std::map<std::string, job_trace> jobs_;
  std::map<std::string, std::string> job_of_key_;
  std::map<std::string, std::string> key_of_job_;
  /// The kind of the event with which an execution ended.
  std::map<std::string, std::string> ends_;
  std::set<std::string> scored_;
  /// Nodes that are lost, and whether they were punished for this loss.
  std::map<std::string, bool> lost_;
};

}  // namespace dim::scenario
