#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

/// What happened in a run, as far as clients and the event log can tell: the only thing that the
/// invariants look at, so that they are the same for a simulated and for a live cluster.
namespace dim::scenario {

/// A submission that was acknowledged with an id.
struct submission {
  std::string idempotency_key;
  std::string job_id;
  std::int64_t at_ms = 0;

  bool operator==(const submission&) const = default;
};

/// A client saw a job in this state.
struct sighting {
  std::string job_id;
  /// As in the interface: "pending", "completed", ...
  std::string state;
  std::int64_t at_ms = 0;

  bool operator==(const sighting&) const = default;
};

/// One entry of the event log.
struct logged_event {
  std::uint64_t number = 0;
  std::string topic;
  std::string kind;
  std::string job_id;
  std::string execution_id;
  std::string node_id;
  /// reputation_changed: the points and the score after them; else empty or of the event's own
  /// form.
  std::string detail;
  std::int64_t at_ms = 0;

  bool operator==(const logged_event&) const = default;
};

/// A job as it is at the end.
struct final_job {
  std::string id;
  std::string pattern;
  std::string state;
  std::string error_code;
  std::string idempotency_key;
  std::uint32_t redundancy = 0;
  std::uint32_t consensus = 0;
  bool has_result = false;
  /// A slow execution may get a second one beside it.
  bool is_hedged = false;

  bool operator==(const final_job&) const = default;
};

/// An execution as it is at the end.
struct final_execution {
  std::string id;
  std::string job_id;
  std::string node_id;
  std::uint32_t epoch = 0;
  std::uint32_t step = 0;
  std::uint32_t slot = 0;
  std::uint32_t attempt = 1;
  std::string state;
  std::string result_digest;
  /// "agreed", "disagreed" or "".
  std::string verdict;
  /// All nodes that it might have been placed on; empty where that is not known.
  std::vector<std::string> fitting_nodes = {};

  bool operator==(const final_execution&) const = default;
};

/// A node as it is at the end.
struct final_node {
  std::string id;
  std::string state;
  double reputation = 0.0;
  /// Meant to run at the end: it must be a member then.
  bool is_expected = true;

  bool operator==(const final_node&) const = default;
};

/// Something that must not exceed its limit, at its worst moment.
struct gauge {
  std::string name;
  std::int64_t peak = 0;
  std::int64_t limit = 0;

  bool operator==(const gauge&) const = default;
};

/// Something that must be back where it was before the load: queues, timers, promises, actors.
struct baseline {
  std::string name;
  std::int64_t before = 0;
  std::int64_t after = 0;

  bool operator==(const baseline&) const = default;
};

/// Everything that was seen, each list in the order of time.
struct history {
  std::vector<submission> submissions;
  std::vector<sighting> sightings;
  std::vector<logged_event> events;
  std::vector<final_job> jobs;
  std::vector<final_execution> executions;
  std::vector<final_node> nodes;
  std::vector<gauge> gauges;
  std::vector<baseline> baselines;
  /// The number of the last event before the run: the first of `events` is the next one.
  std::uint64_t events_after = 0;
  /// The reputation of the nodes that were known before the run.
  std::map<std::string, double> reputation_before;
  /// Reputation of a new node and its floor, as configured.
  double reputation_initial = 100.0;
  double reputation_floor = 0.0;
  /// How often each rare path ran: "retry", "late_duplicate", "straggler_scored", ...
  std::map<std::string, std::uint64_t> paths;
  /// How often each fault struck, by the name of its action.
  std::map<std::string, std::uint64_t> faults;
};

}  // namespace dim::scenario
