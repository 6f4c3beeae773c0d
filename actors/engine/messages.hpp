#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "actors/engine/execution_record.hpp"
#include "actors/job/job_record.hpp"

/// Messages between ENGINE and SCHEDULER. Both live in the orchestrator; each names executions by
/// id.
namespace dim::actors {

/// One execution that looks for a node.
struct execution_request {
  std::string execution_id;
  std::string job_id;
  std::uint32_t epoch = 0;
  std::uint32_t step = 0;
  std::uint32_t slot = 0;
  std::uint32_t attempt = 1;
  step_spec model;
  models::tensor_list inputs;
  std::string cabinet;
  reduction reduce = reduction::mean;
  std::uint32_t histogram_bins = 10;
  runtime::real histogram_low = 0.0;
  runtime::real histogram_high = 1.0;
  /// Run unbatched, with LibTorch's deterministic switches (replicated).
  bool deterministic = false;
  /// Hard filters, by node id or name. `include` empty: every node.
  std::vector<std::string> include;
  std::vector<std::string> exclude;
  /// Node ids that have failed here before: avoided while another node fits, and taken again only
  /// after a pause.
  std::vector<std::string> avoid;
  /// Owners who already hold a replica: avoided while another owner fits.
  std::vector<std::string> avoid_owners;
  std::uint32_t required_cpu = 1;
  std::uint32_t required_memory = 1;
  bool required_gpu = false;
  std::uint32_t priority = 5;
  /// For taking turns.
  std::string submitted_by;
  /// The node that was given this execution by an earlier engine of the job, and may still have it
  /// in hand: it is not placed but taken up there. Empty for a new execution.
  std::string adopted_node;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, execution_request& x) {
  return f(x.execution_id, x.job_id, x.epoch, x.step, x.slot, x.attempt, x.model, x.inputs,
           x.cabinet, x.reduce, x.histogram_bins, x.histogram_low, x.histogram_high,
           x.deterministic, x.include, x.exclude, x.avoid, x.avoid_owners, x.required_cpu,
           x.required_memory, x.required_gpu, x.priority, x.submitted_by, x.adopted_node);
}

/// Places all of `group` on different nodes at once, or none. SCHEDULER answers for every execution
/// with `execution_placed`, then `execution_running`, then exactly one `execution_ended`. An
/// adopted execution keeps its node; when that is not a member in `adopt_wait_ms` it ends as
/// `node_lost`.
struct place_executions {
  std::vector<execution_request> group;
  /// What is left of the job's time.
  std::uint64_t time_left_ms = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, place_executions& x) {
  return f(x.group, x.time_left_ms);
}

/// A node was chosen and the execution sent to it.
struct execution_placed {
  std::string execution_id;
  std::string node_id;
  std::string node_owner;
  std::vector<candidate_score> placement;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, execution_placed& x) {
  return f(x.execution_id, x.node_id, x.node_owner, x.placement);
}

/// The forward has begun.
struct execution_running {
  std::string execution_id;
  std::string device;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, execution_running& x) {
  return f(x.execution_id, x.device);
}

/// How it ended; `error.code` is `none` for a good end. `no_nodes` names in `error.details` why
/// each node was refused. Outputs over the inline limit have been fetched and stored as blobs, and
/// come detached.
struct execution_ended {
  std::string execution_id;
  std::string node_id;
  runtime::failure error;
  models::tensor_list outputs;
  /// Canonical digest, computed by the orchestrator.
  std::string result_digest;
  std::uint64_t rows = 0;
  std::string device;
  std::string logs;
  /// The input killed the agent while it ran alone.
  bool killed_agent = false;
  std::vector<candidate_score> placement;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, execution_ended& x) {
  return f(x.execution_id, x.node_id, x.error, x.outputs, x.result_digest, x.rows, x.device, x.logs,
           x.killed_agent, x.placement);
}

/// The engine no longer wants it: what waits is dropped, what runs is cancelled at its node. No
/// reply.
struct withdraw_execution {
  std::string execution_id;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, withdraw_execution& x) {
  return f(x.execution_id);
}

/// An ENGINE has ended without having stopped: what waits in its name is dropped, and what nodes
/// have in hand for it is kept for `adopt_wait_ms`, so that the job's next engine may adopt it. No
/// reply.
struct engine_gone {
  /// The actor's id, and what SCHEDULER had in hand for it.
  std::uint64_t engine = 0;
  std::vector<std::string> executions;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, engine_gone& x) {
  return f(x.engine, x.executions);
}

/// An execution at a node.
struct placed_execution {
  std::string node_id;
  std::string execution_id;
  std::uint32_t epoch = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, placed_execution& x) {
  return f(x.node_id, x.execution_id, x.epoch);
}

/// JOB tells SCHEDULER that the ends of these executions, and what followed from them, are on disk:
/// their nodes may forget them. No reply.
struct executions_stored {
  std::vector<placed_execution> executions;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, executions_stored& x) {
  return f(x.executions);
}

/// Which nodes hold a cabinet now (collaborative).
struct find_cabinet {
  std::string cabinet;
  node_choice nodes;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, find_cabinet& x) {
  return f(x.cabinet, x.nodes);
}

struct cabinet_nodes {
  std::vector<std::string> node_ids;
  /// Why each other node is not among them.
  std::vector<candidate_score> refused;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, cabinet_nodes& x) {
  return f(x.node_ids, x.refused);
}

// -- to ENGINE ------------------------------------------------------------------------------------

/// JOB asks its engine to stop: everything is withdrawn, and the engine quits. No reply.
struct stop_engine {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, stop_engine&) {
  return f();
}

/// INTERNAL: the back-off before attempt `attempt` at slot `slot` of step `step` is over.
struct retry_due {
  std::uint32_t slot = 0;
  std::uint32_t attempt = 0;
  std::uint32_t step = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, retry_due& x) {
  return f(x.slot, x.attempt, x.step);
}

/// INTERNAL: time to look whether the job's time, or that of its stragglers, is over.
struct deadline_due {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, deadline_due&) {
  return f();
}

}  // namespace dim::actors
