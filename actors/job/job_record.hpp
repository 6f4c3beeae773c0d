#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/tensor.hpp"
#include "runtime/errors.hpp"
#include "runtime/real.hpp"

/// A job as it is submitted, stored, sent between actors and shown: one set of structs for all.
/// Times are milliseconds since the Unix epoch, 0 where they have not come yet.
namespace dim::actors {

enum class pattern : std::uint8_t { single, replicated, collaborative, comparative, chained };
std::string_view to_string(pattern value) noexcept;
std::optional<pattern> pattern_from(std::string_view text) noexcept;
constexpr pattern last_value(pattern) noexcept {
  return pattern::chained;
}

///   pending --> scheduled --> running --> completed | failed | cancelled
///
/// `pending`: stored, waits for its turn. `scheduled`: its executions wait for nodes. `running`: at
/// least one execution has started. The last three are terminal and never change.
enum class job_state : std::uint8_t { pending, scheduled, running, completed, failed, cancelled };
std::string_view to_string(job_state value) noexcept;
std::optional<job_state> job_state_from(std::string_view text) noexcept;
constexpr job_state last_value(job_state) noexcept {
  return job_state::cancelled;
}
inline bool is_terminal(job_state value) noexcept {
  return value >= job_state::completed;
}

/// How two nodes' outputs are compared. `automatic` is `tensor` for floating point, else `exact`.
enum class comparison : std::uint8_t { automatic, exact, tensor, label };
std::string_view to_string(comparison value) noexcept;
std::optional<comparison> comparison_from(std::string_view text) noexcept;
constexpr comparison last_value(comparison) noexcept {
  return comparison::label;
}

/// Over the rows of one node (collaborative).
enum class reduction : std::uint8_t { mean, sum, min, max, histogram };
std::string_view to_string(reduction value) noexcept;
std::optional<reduction> reduction_from(std::string_view text) noexcept;
constexpr reduction last_value(reduction) noexcept {
  return reduction::histogram;
}

/// Over the nodes (collaborative).
enum class aggregation : std::uint8_t { weighted_mean, mean, median, trimmed_mean };
std::string_view to_string(aggregation value) noexcept;
std::optional<aggregation> aggregation_from(std::string_view text) noexcept;
constexpr aggregation last_value(aggregation) noexcept {
  return aggregation::trimmed_mean;
}

enum class vote_method : std::uint8_t { majority, weighted };
std::string_view to_string(vote_method value) noexcept;
std::optional<vote_method> vote_method_from(std::string_view text) noexcept;
constexpr vote_method last_value(vote_method) noexcept {
  return vote_method::weighted;
}

/// One model to run: the only one (single, replicated, collaborative), one voter (comparative) or
/// one link (chained).
struct step_spec {
  std::string model;
  /// Empty: the newest version at admission, which then writes the chosen one here.
  std::string version;
  /// Set at admission: SHA-256 of the model file.
  std::string model_digest;
  /// The weight of this model's vote; 1 where none is given.
  runtime::real weight = 1.0;
  /// chained: this step's input name -> the previous step's output name. Empty: by equal names, or
  /// the only output to the only input.
  std::map<std::string, std::string> input_map;
  /// Set at admission: the model's configuration.
  std::uint32_t model_revision = 0;

  bool operator==(const step_spec&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, step_spec& x) {
  return f(x.model, x.version, x.model_digest, x.weight, x.input_map, x.model_revision);
}

/// `nodes` of a submission: which nodes may run it. Names are node ids or node names.
struct node_choice {
  std::uint32_t min = 1;
  std::uint32_t max = 0;  ///< 0: no limit.
  std::vector<std::string> include;
  std::vector<std::string> exclude;

  bool operator==(const node_choice&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_choice& x) {
  return f(x.min, x.max, x.include, x.exclude);
}

/// `retry` of a submission.
struct retry_choice {
  std::uint32_t attempts_max = 3;
  std::uint32_t backoff_ms = 200;
  std::uint32_t backoff_max_ms = 10'000;

  bool operator==(const retry_choice&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, retry_choice& x) {
  return f(x.attempts_max, x.backoff_ms, x.backoff_max_ms);
}

/// What the submitter asked for, with every default filled in.
struct job_spec {
  std::string name;
  std::string description;
  pattern kind = pattern::single;
  std::vector<step_spec> steps;
  models::tensor_list inputs;
  std::string cabinet;
  std::uint32_t redundancy = 3;
  std::uint32_t consensus = 2;
  comparison compare = comparison::automatic;
  reduction reduce = reduction::mean;
  /// histogram: bins over [low, high], shared by every node.
  std::uint32_t histogram_bins = 10;
  runtime::real histogram_low = 0.0;
  runtime::real histogram_high = 1.0;
  aggregation aggregate = aggregation::weighted_mean;
  /// trimmed_mean: the share cut from each side, 0 to 0.5.
  runtime::real trim = 0.2;
  vote_method vote = vote_method::majority;
  /// comparative: a tie abstains (the job completes without a label) instead of `no_consensus`.
  bool tie_abstains = false;
  node_choice nodes;
  retry_choice retry;
  /// 0 (lowest) to 9 (highest).
  std::uint32_t priority = 5;
  /// The whole job, from admission to its terminal state.
  std::uint64_t timeout_ms = 300'000;
  std::uint32_t required_cpu = 1;
  /// Gigabytes, as the API has it.
  std::uint32_t required_memory = 1;
  bool required_gpu = false;
  std::string submitted_by;
  /// An execution that has had its node for so long without an answer gets a second one on another
  /// node (not replicated, nor where data bind it to its node). 0: never.
  std::uint64_t hedge_after_ms = 0;

  bool operator==(const job_spec&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, job_spec& x) {
  return f(x.name, x.description, x.kind, x.steps, x.inputs, x.cabinet, x.redundancy, x.consensus,
           x.compare, x.reduce, x.histogram_bins, x.histogram_low, x.histogram_high, x.aggregate,
           x.trim, x.vote, x.tie_abstains, x.nodes, x.retry, x.priority, x.timeout_ms,
           x.required_cpu, x.required_memory, x.required_gpu, x.submitted_by, x.hedge_after_ms);
}

/// How a replicated job's answers compared (row A14).
struct verification {
  /// Executions that answered, agreed with the consensus, and did not.
  std::uint32_t votes = 0;
  std::vector<std::string> agreeing_nodes;
  std::vector<std::string> disagreeing_nodes;
  bool reached = false;
  /// Canonical digest of the consensus answer.
  std::string consensus_digest;
  comparison method = comparison::automatic;
  std::int64_t reached_at = 0;

  bool operator==(const verification&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, verification& x) {
  return f(x.votes, x.agreeing_nodes, x.disagreeing_nodes, x.reached, x.consensus_digest, x.method,
           x.reached_at);
}

/// One voter's answer in a comparative job, or one participant's in a collaborative one.
struct participant {
  std::string model;
  std::string version;
  std::string node_id;
  /// comparative: the label (or class index as text) that this model voted for.
  std::string label;
  runtime::real weight = 1.0;
  /// collaborative: the rows that this node reduced.
  std::uint64_t rows = 0;
  models::tensor_list outputs;
  /// Set when this participant did not answer.
  runtime::failure error;

  bool operator==(const participant&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, participant& x) {
  return f(x.model, x.version, x.node_id, x.label, x.weight, x.rows, x.outputs, x.error);
}

/// The answer of a completed job.
struct job_result {
  models::tensor_list outputs;
  /// Canonical digest of `outputs`.
  std::string digest;
  /// Some of those who should have answered did not; `missing` names them.
  bool partial = false;
  std::vector<std::string> missing;
  /// replicated only; `votes` is 0 elsewhere.
  verification verified;
  /// comparative and collaborative: one entry a model or node.
  std::vector<participant> participants;
  /// comparative: the winning label and the share of the vote (by weight) that it got.
  std::string label;
  runtime::real agreement_ratio = 0.0;
  /// collaborative: rows over all nodes.
  std::uint64_t rows = 0;

  bool operator==(const job_result&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, job_result& x) {
  return f(x.outputs, x.digest, x.partial, x.missing, x.verified, x.participants, x.label,
           x.agreement_ratio, x.rows);
}

/// A job as it is stored. The result is a record of its own (table `results`), because lists of
/// jobs do not show it.
struct job_record {
  std::string id;
  job_spec spec;
  job_state state = job_state::pending;
  std::int64_t submitted_at = 0;
  std::int64_t started_at = 0;
  std::int64_t completed_at = 0;
  runtime::failure error;
  /// Grows with every restart of the job's engine; executions of an older epoch do not count.
  std::uint32_t epoch = 0;
  /// chained: steps whose outputs are stored.
  std::uint32_t steps_done = 0;
  /// Times that the JOB actor was rebuilt after a crash.
  std::uint32_t rebuilds = 0;
  /// The array that it was submitted in, and its place there; empty: in none.
  std::string array_id;
  std::uint32_t array_index = 0;

  bool operator==(const job_record&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, job_record& x) {
  return f(x.id, x.spec, x.state, x.submitted_at, x.started_at, x.completed_at, x.error, x.epoch,
           x.steps_done, x.rebuilds, x.array_id, x.array_index);
}

}  // namespace dim::actors
