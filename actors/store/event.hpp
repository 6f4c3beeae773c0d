#pragma once

#include <cstdint>
#include <string>

namespace dim::actors {

/// The topics of events, exactly as subscribers name them.
inline constexpr const char* topic_jobs = "dim.jobs.updates";
inline constexpr const char* topic_nodes = "dim.nodes.heartbeat";
inline constexpr const char* topic_results = "dim.results.ready";

/// A numbered fact. Numbers have no gaps; a number is given in the transaction that makes the fact
/// true.
struct event {
  std::uint64_t number = 0;
  std::string topic;
  /// "job_submitted", "job_completed", "execution_started", "reputation_changed", "node_lost", ...
  std::string kind;
  std::string job_id;
  std::string node_id;
  std::string execution_id;
  std::int64_t at = 0;
  /// A JSON object with what else is to say; "" for nothing.
  std::string detail;

  bool operator==(const event&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, event& x) {
  return f(x.number, x.topic, x.kind, x.job_id, x.node_id, x.execution_id, x.at, x.detail);
}

}  // namespace dim::actors
