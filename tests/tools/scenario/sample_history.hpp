#pragma once

#include <string>

#include "tools/scenario/history.hpp"

namespace dim::scenario {

/// A clean run: three nodes, of which node-3 is lost and comes back, and the jobs "single" (one
/// retry after the loss), "vote" (replicated, 2 of 3 agree, one disagrees) and "gone" (cancelled).
history sample_history();

/// Appends an event with the next number.
void append_event(history& target, const std::string& kind, const std::string& job_id,
                  const std::string& execution_id = {}, const std::string& node_id = {},
                  const std::string& detail = {});

/// The detail of a `reputation_changed` event.
std::string score_detail(int points, double score, const std::string& reason);

}  // namespace dim::scenario
