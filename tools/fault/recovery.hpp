#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tools/scenario/history.hpp"

namespace dim::tools {

/// How long things took to be well again, in milliseconds, as the event log tells:
///
/// - "placed again": from an execution that was lost to the next one of its job on a node; not of
///   replicated jobs, which may have to wait for a node that has no part in them yet;
/// - "node is a member again": from its loss to its join.
std::map<std::string, std::vector<std::int64_t>> recoveries_of(const scenario::history& seen);

/// How often each rare path ran: "retry", "lost_execution", "straggler_scored", "resumed_job",
/// "node_loss", "node_return", "no_consensus", ...
std::map<std::string, std::uint64_t> paths_of(const scenario::history& seen);

}  // namespace dim::tools
