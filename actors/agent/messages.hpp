#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "actors/agent/release_reason.hpp"
#include "models/model_spec.hpp"
#include "models/tensor.hpp"
#include "runtime/errors.hpp"
#include "runtime/work_ticket.hpp"

/// Messages of DEVICE, AGENT and INFERENCE. `agent_ready`, the only one with a handle, is in
/// interface.hpp.
namespace dim::actors {

/// One request to one model: AGENT puts it in a batch and replies with its own rows. Every way to
/// fail is told in the reply's `error`: expired, overloaded, bad_input, cancelled, agent_lost,
/// agent_timeout, timeout, memory_limit, bad_model, unavailable (stopping), internal.
struct infer {
  /// The execution (or direct request) that asks.
  std::string request_id;
  models::tensor_list inputs;
  /// Run alone, with the deterministic switches.
  bool deterministic = false;
  std::uint64_t time_left_ms = 0;
  /// A direct inference: no `infer_started` is told, and no digests are made.
  bool direct = false;
  /// 0: the model's default; 1 is first.
  std::uint32_t priority = 0;
  /// Longest wait in the queue, where the model's queue policy lets a request say so; 0: not said.
  std::uint64_t queue_timeout_us = 0;
  /// Counts the request at its node until it is answered, or lost with whoever held it.
  runtime::work_ticket ticket = {};
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, infer& x) {
  return f(x.request_id, x.inputs, x.deterministic, x.time_left_ms, x.direct, x.priority,
           x.queue_timeout_us, x.ticket);
}

/// Where the time of a request went, in nanoseconds.
struct inference_times {
  std::uint64_t queue_ns = 0;
  /// Joining the rows of a batch and copying them to the device.
  std::uint64_t input_ns = 0;
  std::uint64_t forward_ns = 0;
  /// Copying back and splitting.
  std::uint64_t output_ns = 0;

  bool operator==(const inference_times&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, inference_times& x) {
  return f(x.queue_ns, x.input_ns, x.forward_ns, x.output_ns);
}

struct infer_result {
  models::tensor_list outputs;
  std::uint64_t forward_us = 0;
  /// `none` for a good end.
  runtime::failure error;
  /// How the agent process died and the end of its standard error; empty for a good end.
  std::string logs;
  /// The agent process died while this request ran in it alone.
  bool killed_agent = false;
  inference_times times = {};
  /// Rows of the whole batch in which it ran; 0 when it did not run.
  std::uint32_t batch_rows = 0;
  /// It stands for its batch in what is counted once a batch.
  bool first_of_batch = false;
  release_reason released = release_reason::none;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, infer_result& x) {
  return f(x.outputs, x.forward_us, x.error, x.logs, x.killed_agent, x.times, x.batch_rows,
           x.first_of_batch, x.released);
}

/// A request of an `infer_group`, under the number by which its answer is known.
struct numbered_infer {
  std::uint64_t number = 0;
  infer request;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, numbered_infer& x) {
  return f(x.number, x.request);
}

/// Requests to one model that came together. Each is answered like an `infer` of its own, but
/// answers travel together: see `infer_results`.
struct infer_group {
  std::vector<numbered_infer> requests;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, infer_group& x) {
  return f(x.requests);
}

struct numbered_result {
  std::uint64_t number = 0;
  infer_result result;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, numbered_result& x) {
  return f(x.number, x.result);
}

/// Answers to some requests of a group. The last ones are the reply to the group; what is ready
/// before them goes ahead, as a message of its own to whoever asked.
struct infer_results {
  std::vector<numbered_result> answers;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, infer_results& x) {
  return f(x.answers);
}

/// AGENT tells the sender of an `infer` that its forward has begun. It may come a second time, when
/// the agent process died and the request is run again.
struct infer_started {
  std::string request_id;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, infer_started& x) {
  return f(x.request_id);
}

/// The caller no longer wants it. No reply to this; the request itself is answered `cancelled`.
struct withdraw_infer {
  std::string request_id;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, withdraw_infer& x) {
  return f(x.request_id);
}

/// What INFERENCE loads, once, before its first batch. Errors: bad_model, memory_limit.
struct load_model {
  std::string path;
  models::model_spec spec;
  std::string device;  ///< "cpu:0-1", "cuda:0"
  std::uint32_t threads = 1;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, load_model& x) {
  return f(x.path, x.spec, x.device, x.threads);
}

struct model_loaded {
  std::uint64_t load_us = 0;
  std::uint64_t memory_bytes = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, model_loaded& x) {
  return f(x.load_us, x.memory_bytes);
}

/// One forward over requests that have been joined along the batch dimension.
struct run_batch {
  std::uint64_t batch_id = 0;
  /// One entry a request; INFERENCE joins them and splits the outputs again.
  std::vector<models::tensor_list> requests;
  bool deterministic = false;
  /// Whether the outputs need digests: not for direct inferences.
  bool digests = true;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, run_batch& x) {
  return f(x.batch_id, x.requests, x.deterministic, x.digests);
}

struct batch_result {
  std::uint64_t batch_id = 0;
  /// One entry a request, in the same order.
  std::vector<models::tensor_list> outputs;
  std::uint64_t forward_us = 0;
  /// Of the whole batch; without `queue_ns`.
  inference_times times = {};
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, batch_result& x) {
  return f(x.batch_id, x.outputs, x.forward_us, x.times);
}

/// INTERNAL to those at the ends of a channel in shared memory: something has come over it, or
/// there is room in it again. Never leaves its process.
struct channel_rung {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, channel_rung&) {
  return f();
}

/// Queue, fill and workers of one agent.
struct get_agent_load {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, get_agent_load&) {
  return f();
}

struct agent_load {
  std::string model;
  std::string version;
  std::string device;
  std::uint32_t queued = 0;
  std::uint32_t running = 0;
  std::uint64_t batches = 0;
  std::uint64_t requests = 0;
  /// Of all its processes.
  std::uint64_t resident_bytes = 0;
  /// Of the first worker that is a process; 0 when none is.
  std::int64_t pid = 0;
  std::uint32_t workers_ready = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, agent_load& x) {
  return f(x.model, x.version, x.device, x.queued, x.running, x.batches, x.requests,
           x.resident_bytes, x.pid, x.workers_ready);
}

// -- the life of an agent, inside a node
// -----------------------------------------------------------

/// AGENT tells its DEVICE that it should be stopped: it has had no work for long, or its model can
/// not be loaded.
struct agent_idle {
  /// As its DEVICE named it.
  std::string model_key;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, agent_idle& x) {
  return f(x.model_key);
}

/// AGENT tells its DEVICE that one of its workers has loaded the model.
struct agent_loaded {
  std::string model_key;
  /// From the start of the worker until it could serve.
  std::uint64_t load_us = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, agent_loaded& x) {
  return f(x.model_key, x.load_us);
}

/// DEVICE asks an AGENT to load its model before the first request. Replies when it serves. Errors:
/// what keeps it from serving (bad_model, memory_limit, agent_lost, ...), expired.
struct warm_agent {
  std::uint64_t time_left_ms = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, warm_agent& x) {
  return f(x.time_left_ms);
}

/// The agents of a model are as they were wished.
struct agents_set {
  std::string device;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, agents_set& x) {
  return f(x.device);
}

/// DEVICE stops an AGENT: it answers what it has, ends its worker, and quits. Nothing is sent to it
/// afterwards.
struct stop_agent {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, stop_agent&) {
  return f();
}

/// AGENT asks its worker host to start INFERENCE. The host answers with `agent_ready` when it is
/// up, and with exactly one `worker_ended` in the end.
struct start_worker {
  /// Names this start; it comes back in `agent_ready` and `worker_ended`.
  std::string token;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, start_worker& x) {
  return f(x.token);
}

/// AGENT asks its worker host to end INFERENCE at once. Another token than the running one is
/// ignored.
struct kill_worker {
  std::string token;
  /// Why, for `worker_ended`: agent_timeout, cancelled, agent_lost, ...
  runtime::failure cause;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, kill_worker& x) {
  return f(x.token, x.cause);
}

/// The worker is gone.
struct worker_ended {
  std::string token;
  /// The cause of a `kill_worker`; `memory_limit`; else `agent_lost` with how it died.
  runtime::failure cause;
  /// The end of its standard error.
  std::string stderr_tail;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, worker_ended& x) {
  return f(x.token, x.cause, x.stderr_tail);
}

/// INTERNAL to AGENT: look at deadlines, at the open batch, at the restart. Only the newest counts.
struct agent_due {
  std::uint64_t number = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, agent_due& x) {
  return f(x.number);
}

/// A worker host tells AGENT_ENTRY which token it has just given to a process; `agent_ready` with
/// this token is passed on to the sender. Replies with the port to dial. Errors: unavailable (not
/// listening yet).
struct expect_agent {
  std::string token;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, expect_agent& x) {
  return f(x.token);
}

/// Where AGENT_ENTRY listens, on loopback.
struct agent_address {
  std::uint16_t port = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, agent_address& x) {
  return f(x.port);
}

/// AGENT_ENTRY knows the process that sent `agent_ready`; the next it hears is `load_model`.
struct agent_admitted {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, agent_admitted&) {
  return f();
}

}  // namespace dim::actors
