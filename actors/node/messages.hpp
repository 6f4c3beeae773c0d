#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "actors/agent/messages.hpp"
#include "actors/job/job_record.hpp"
#include "models/tensor.hpp"
#include "runtime/errors.hpp"

/// Messages between SCHEDULER and NODE. They cross processes, carry no handle, and are one-way: a
/// lost node is noticed by its sentinel and by deadlines, never by a missing reply.
namespace dim::actors {

/// Tensor data up to this size travels inside a message; larger data is fetched by digest.
inline constexpr std::uint64_t inline_data_max = 64 * 1024;

/// NODE runs one execution: model into the cache, agent on a device, forward, answer. One that is
/// running or has ended there (same id, same epoch) is not run again: NODE tells again what it
/// told.
struct run_execution {
  std::string execution_id;
  std::string job_id;
  std::uint32_t epoch = 0;
  std::string model;
  std::string version;
  std::string model_digest;
  /// Detached where larger than `inline_data_max`: fetched from the orchestrator.
  models::tensor_list inputs;
  /// collaborative: run this cabinet's rows and answer with the reduced outputs.
  std::string cabinet;
  reduction reduce = reduction::mean;
  std::uint32_t histogram_bins = 10;
  runtime::real histogram_low = 0.0;
  runtime::real histogram_high = 1.0;
  bool deterministic = false;
  std::uint32_t required_cpu = 1;
  std::uint32_t required_memory = 1;
  bool required_gpu = false;
  std::uint32_t priority = 5;
  /// What is left of the job's time; clocks differ, so no absolute time is sent.
  std::uint64_t time_left_ms = 0;
  /// The model's configuration.
  std::uint32_t model_revision = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, run_execution& x) {
  return f(x.execution_id, x.job_id, x.epoch, x.model, x.version, x.model_digest, x.inputs,
           x.cabinet, x.reduce, x.histogram_bins, x.histogram_low, x.histogram_high,
           x.deterministic, x.required_cpu, x.required_memory, x.required_gpu, x.priority,
           x.time_left_ms, x.model_revision);
}

/// One direct inference of a `run_direct`, under the number by which its answer is known.
struct direct_request {
  std::uint64_t number = 0;
  std::string request_id;
  models::tensor_list inputs;
  std::uint32_t priority = 0;
  std::uint64_t queue_timeout_us = 0;
  std::uint64_t time_left_ms = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, direct_request& x) {
  return f(x.number, x.request_id, x.inputs, x.priority, x.queue_timeout_us, x.time_left_ms);
}

/// ROUTER gives NODE direct inferences of one model that came together: nothing of them is kept.
/// Each gets AGENT's `infer_result`, in which every way to fail is told; a full queue is
/// `overloaded`, a draining node `unavailable`.
struct run_direct {
  std::string model;
  std::string version;
  std::string model_digest;
  std::uint32_t revision = 0;
  std::vector<direct_request> requests;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, run_direct& x) {
  return f(x.model, x.version, x.model_digest, x.revision, x.requests);
}

/// ROUTER no longer wants it. Unknown ids are ignored; the request is answered `cancelled`.
struct withdraw_direct {
  std::string request_id;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, withdraw_direct& x) {
  return f(x.request_id);
}

/// Starts an agent of this version, with its warm-up, or stops all that there are. Replies when it
/// serves, or when they are gone. Errors: as of `infer`; late ones are `expired`; of one that may
/// only have what is spare: overloaded (the node has direct requests), memory_limit (an agent would
/// have to go for it).
struct set_agents {
  std::string model;
  std::string version;
  std::string model_digest;
  std::uint32_t revision = 0;
  bool wanted = true;
  std::uint64_t time_left_ms = 0;
  /// Nobody waits for it: only an idle node starts it, and no agent ends for it.
  bool only_spare = false;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, set_agents& x) {
  return f(x.model, x.version, x.model_digest, x.revision, x.wanted, x.time_left_ms,
           x.only_spare);
}

/// The forward has begun on `device`.
struct execution_started {
  std::string node_id;
  std::uint64_t incarnation = 0;
  std::string execution_id;
  std::uint32_t epoch = 0;
  std::string device;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, execution_started& x) {
  return f(x.node_id, x.incarnation, x.execution_id, x.epoch, x.device);
}

/// How it ended. NODE keeps it, and any large output, until `acknowledge_execution` or until its
/// job's time is over, and sends it again after a re-join, or when it is ordered again.
struct execution_finished {
  std::string node_id;
  std::uint64_t incarnation = 0;
  std::string execution_id;
  std::uint32_t epoch = 0;
  /// `none` for a good end.
  runtime::failure error;
  /// Each with its digest; detached where larger than `inline_data_max`.
  models::tensor_list outputs;
  /// Rows reduced (collaborative) or answered.
  std::uint64_t rows = 0;
  std::string device;
  /// The end of the agent's standard error and how it died; empty for a good end.
  std::string logs;
  /// The input killed the agent while it ran alone (see architecture 7, poison input).
  bool killed_agent = false;
  std::uint64_t forward_us = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, execution_finished& x) {
  return f(x.node_id, x.incarnation, x.execution_id, x.epoch, x.error, x.outputs, x.rows, x.device,
           x.logs, x.killed_agent, x.forward_us);
}

/// The end is stored, or nobody wants it; NODE forgets the execution.
struct acknowledge_execution {
  std::string execution_id;
  std::uint32_t epoch = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, acknowledge_execution& x) {
  return f(x.execution_id, x.epoch);
}

/// Waiting work is dropped; a forward that runs is finished and dropped, or killed when it runs
/// alone and past the cancel grace. No `execution_finished` follows.
struct cancel_execution {
  std::string execution_id;
  std::uint32_t epoch = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, cancel_execution& x) {
  return f(x.execution_id, x.epoch);
}

/// REGISTRY tells NODE to take no new work, or to take work again. What waits is handed back at
/// once, what runs when `wait_ms` is over.
struct set_draining {
  bool draining = false;
  std::uint32_t wait_ms = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, set_draining& x) {
  return f(x.draining, x.wait_ms);
}

/// REGISTRY got a heartbeat of a node that it does not hold as a member (it was restarted, or had
/// given the node up): NODE sends `join_cluster` again, with the same incarnation.
struct rejoin_cluster {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, rejoin_cluster&) {
  return f();
}

}  // namespace dim::actors
