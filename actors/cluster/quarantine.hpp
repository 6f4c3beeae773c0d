#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "actors/cluster/node_record.hpp"
#include "config/options.hpp"
#include "runtime/errors.hpp"

/// When a node is kept from new work, and when it gets work again. Pure: no actor, no clock.
///
///   trusted --failures in a row--> quarantined --good probes in a row--> trusted
///      ^  \--by hand--> quarantined by hand --by hand--'      |  ^
///      '------------------------- by hand --------------------'  '--a bad probe: counts anew
namespace dim::actors {

/// Executions whose id begins so are probes. Ids of jobs' executions are UUIDs.
inline constexpr std::string_view probe_prefix = "probe-";

/// Whether an execution is a probe: it belongs to no job, and counts in no statistics.
inline bool is_probe(std::string_view execution_id) noexcept {
  return execution_id.starts_with(probe_prefix);
}

/// Whether a failure tells of the node that it happened on. What the request, the caller or the
/// cluster is to blame for (bad input, an unknown model, cancelled, the job's own time, a full
/// queue) does not, nor does the loss of a node, which costs it reputation.
bool tells_of_node(runtime::error_code code) noexcept;

/// Whether an execution that ended so had begun on its node: one that the node refused, or gave
/// back, is none of the node's statistics.
bool had_begun(runtime::error_code code) noexcept;

/// How an execution of `model` ended.
struct execution_outcome {
  runtime::error_code code = runtime::error_code::none;
  std::string model;
  std::string version;
};

/// Counts the outcome; true when the node is to be put into quarantine now. A success ends a row of
/// failures, a failure that does not tell of the node neither ends nor prolongs it. What runs on
/// while a node is in quarantine does not count.
bool note_outcome(quarantine_record& record, const execution_outcome& outcome,
                  const config::registry_options& rules);

/// Puts a node into quarantine, or takes it out with all counts at zero.
void begin_quarantine(quarantine_record& record, bool by_hand, std::string reason,
                      std::int64_t now_ms);
void end_quarantine(quarantine_record& record);

/// What the end of a probe says of its node.
enum class probe_verdict : std::uint8_t {
  good,
  bad,
  none,  ///< There was nothing to run: the model is gone, or there is none at all.
};

/// A probe whose zeros the model itself refuses is good: it went all the way to the forward.
probe_verdict verdict_of(runtime::error_code code) noexcept;

/// Counts a probe; true when the node is to be released now.
bool note_probe(quarantine_record& record, probe_verdict verdict,
                const config::registry_options& rules);

/// The pause before the next probe, in milliseconds.
std::int64_t probe_pause_ms(const quarantine_record& record,
                            const config::registry_options& rules);

/// Why the node gets no new work, in words, for the placement of a job.
std::string refusal_of_quarantine(const quarantine_record& record);

}  // namespace dim::actors
