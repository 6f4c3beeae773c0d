#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/tensor.hpp"
#include "runtime/errors.hpp"
#include "runtime/real.hpp"

namespace dim::actors {

///   scheduled --> running --> completed | failed | lost | cancelled
///
/// `lost`: the node went away with the execution in hand, or the job went on without it after a
/// restart of the orchestrator.
enum class execution_state : std::uint8_t {
  scheduled, running, completed, failed, lost, cancelled
};
std::string_view to_string(execution_state value) noexcept;
std::optional<execution_state> execution_state_from(std::string_view text) noexcept;
constexpr execution_state last_value(execution_state) noexcept {
  return execution_state::cancelled;
}

/// Why a node was or was not chosen for an execution (`GET /jobs/{id}/placement`).
struct candidate_score {
  std::string node_id;
  std::string node_name;
  bool chosen = false;
  /// Empty when the node fits; else the filter that refused it, in words.
  std::string refusal;
  /// The terms of the score, each as it was multiplied.
  runtime::real reputation_term = 0.0;
  runtime::real free_share_term = 0.0;
  runtime::real cache_term = 0.0;
  runtime::real score = 0.0;

  bool operator==(const candidate_score&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, candidate_score& x) {
  return f(x.node_id, x.node_name, x.chosen, x.refusal, x.reputation_term, x.free_share_term,
           x.cache_term, x.score);
}

/// One attempt at one step on one node, as stored and shown (row A97).
struct execution_record {
  std::string id;
  std::string job_id;
  std::string node_id;
  std::uint32_t epoch = 0;
  /// Index into the job's steps.
  std::uint32_t step = 0;
  /// Which of a pattern's parallel places this fills: the replica, the voter, the participant.
  std::uint32_t slot = 0;
  /// 1 for the first try in this slot.
  std::uint32_t attempt = 1;
  execution_state state = execution_state::scheduled;
  std::string model;
  std::string version;
  std::string device;
  std::int64_t scheduled_at = 0;
  std::int64_t started_at = 0;
  std::int64_t completed_at = 0;
  /// Canonical digest of the outputs; `outputs` only where the job's answer is made of several.
  std::string result_digest;
  models::tensor_list outputs;
  std::uint64_t rows = 0;
  runtime::failure error;
  /// The end of the agent's standard error, and how it died.
  std::string logs;
  /// Every candidate of the placement, with its terms.
  std::vector<candidate_score> placement;
  /// replicated: whether this answer agreed with the consensus; "" until scored.
  std::string verdict;
  /// The input killed the agent while it ran alone.
  bool killed_agent = false;

  bool operator==(const execution_record&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, execution_record& x) {
  return f(x.id, x.job_id, x.node_id, x.epoch, x.step, x.slot, x.attempt, x.state, x.model,
           x.version, x.device, x.scheduled_at, x.started_at, x.completed_at, x.result_digest,
           x.outputs, x.rows, x.error, x.logs, x.placement, x.verdict, x.killed_agent);
}

}  // namespace dim::actors
