#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/model_spec.hpp"
#include "models/tensor.hpp"
#include "runtime/errors.hpp"

/// Messages of DEVICE, AGENT and INFERENCE. `agent_ready`, the only one with a handle, is in
/// interface.hpp.
namespace dim::actors {

/// One request to one model: AGENT puts it in a batch and replies with its own rows. Errors: expired,
/// overloaded, bad_input, agent_lost, agent_timeout, memory_limit, bad_model.
struct infer {
  /// The execution (or direct request) that asks.
  std::string request_id;
  models::tensor_list inputs;
  /// Run alone, with the deterministic switches.
  bool deterministic = false;
  std::uint64_t time_left_ms = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, infer& x) {
  return f(x.request_id, x.inputs, x.deterministic, x.time_left_ms);
}

struct infer_result {
  models::tensor_list outputs;
  std::uint64_t forward_us = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, infer_result& x) {
  return f(x.outputs, x.forward_us);
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
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, run_batch& x) {
  return f(x.batch_id, x.requests, x.deterministic);
}

struct batch_result {
  std::uint64_t batch_id = 0;
  /// One entry a request, in the same order.
  std::vector<models::tensor_list> outputs;
  std::uint64_t forward_us = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, batch_result& x) {
  return f(x.batch_id, x.outputs, x.forward_us);
}

/// Queue and fill of one agent, for DEVICE and the shell.
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
  std::uint64_t resident_bytes = 0;
  std::int64_t pid = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, agent_load& x) {
  return f(x.model, x.version, x.device, x.queued, x.running, x.batches, x.requests,
           x.resident_bytes, x.pid);
}

}  // namespace dim::actors
