#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "tools/dim/outcome.hpp"
#include "tools/fault/patient_client.hpp"
#include "tools/scenario/history.hpp"

namespace dim::tools {

/// What a cluster was like before the run.
struct first_state {
  std::uint64_t last_event = 0;
  std::map<std::string, double> reputation;
  /// The nodes that were members: they are meant to be so at the end.
  std::set<std::string> members;
  std::int64_t waiting = 0;
  std::int64_t running = 0;
};

/// Errors: failed (no answer, or a refusal).
outcome<first_state> read_first_state(patient_client& gateway);

/// Adds to `seen` everything that the cluster knows at the end: its events since `first`, the
/// jobs that were acknowledged with their executions, nodes, and what must be as before. Errors:
/// failed.
outcome<void> read_final_state(patient_client& gateway, const first_state& first,
                               scenario::history& seen);

/// Milliseconds since the Unix epoch of "2025-11-20T15:04:05.123Z"; 0 for other texts.
std::int64_t time_from(const std::string& text);

}  // namespace dim::tools
