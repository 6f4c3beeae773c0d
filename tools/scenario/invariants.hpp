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

/// What one invariant found.
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
  /// What is wrong with this one, given all before.
  std::vector<violation> note(const logged_event& event);
  std::vector<violation> note(const sighting& seen);
  std::vector<violation> note(const submission& made);

private:
  std::uint64_t last_number_ = 0;
  std::map<std::string, std::string> terminal_;
  std::map<std::string, std::string> job_of_key_;
  std::set<std::string> ended_executions_;
};

}  // namespace dim::scenario
