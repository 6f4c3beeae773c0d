#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "actors/agent/messages.hpp"
#include "actors/store/model_messages.hpp"
#include "models/tensor.hpp"
#include "runtime/duration_histogram.hpp"
#include "runtime/errors.hpp"
#include "runtime/shared_text.hpp"
#include "runtime/work_ticket.hpp"

/// Messages of ROUTER: direct inference, which is never stored.
namespace dim::actors {

/// One direct inference. Every way to fail is told in the reply's `error`: model_not_found,
/// unavailable (known, but not served now; or no node takes it), bad_input (with Triton's words in
/// `message`), overloaded, expired, timeout, cancelled, agent_lost, node_lost, internal, ...
struct run_inference {
  /// Unique among the requests under way: `withdraw_inference` names it.
  std::string request_id;
  /// A name, or an alias.
  std::string model;
  /// Empty: the highest that is served.
  std::string version;
  models::tensor_list inputs;
  /// Outputs that are wanted, in this order; empty: all, in the model's order.
  std::vector<std::string> outputs;
  /// 0: the model's default; 1 is first.
  std::uint32_t priority = 0;
  /// Longest wait in a queue, where the model's queue policy lets a request say so; 0: not said.
  std::uint64_t queue_timeout_us = 0;
  std::uint64_t time_left_ms = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, run_inference& x) {
  return f(x.request_id, x.model, x.version, x.inputs, x.outputs, x.priority, x.queue_timeout_us,
           x.time_left_ms);
}

struct inference_done {
  /// `none` for a good end.
  runtime::failure error;
  models::tensor_list outputs;
  /// The version that answered, and the model's own name when an alias was asked for.
  std::string model;
  std::string version;
  /// Where it ran; empty for a cached answer or an ensemble.
  std::string node_id;
  inference_times times = {};
  bool from_cache = false;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, inference_done& x) {
  return f(x.error, x.outputs, x.model, x.version, x.node_id, x.times, x.from_cache);
}

/// One of `run_inferences`, under the number by which its answer is known.
struct numbered_inference {
  std::uint64_t number = 0;
  run_inference request;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, numbered_inference& x) {
  return f(x.number, x.request);
}

/// Direct inferences that came together. Each is answered like a `run_inference` of its own, but
/// answers travel together: see `inferences_done`.
struct run_inferences {
  std::vector<numbered_inference> requests;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, run_inferences& x) {
  return f(x.requests);
}

struct numbered_done {
  std::uint64_t number = 0;
  inference_done done;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, numbered_done& x) {
  return f(x.number, x.done);
}

/// Answers to some of `run_inferences`. The last ones are the reply; what is ready before them goes
/// ahead, as a message of its own to whoever asked.
struct inferences_done {
  std::vector<numbered_done> answers;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, inferences_done& x) {
  return f(x.answers);
}

/// The caller is gone: what waits is taken out, what runs is dropped when it ends. Unknown ids are
/// ignored. No reply of its own; the request is answered `cancelled`.
struct withdraw_inference {
  std::string request_id;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, withdraw_inference& x) {
  return f(x.request_id);
}

/// How often something happened, and how long it took in all.
struct duration_count {
  std::uint64_t count = 0;
  std::uint64_t ns = 0;

  void add(std::uint64_t took_ns) noexcept {
    ++count;
    ns += took_ns;
  }
  /// More time of one that has been added.
  void extend(std::uint64_t took_ns) noexcept {
    ns += took_ns;
  }
  bool operator==(const duration_count&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, duration_count& x) {
  return f(x.count, x.ns);
}

/// Forwards of one batch size.
struct batch_statistics {
  duration_count input;
  duration_count forward;
  duration_count output;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, batch_statistics& x) {
  return f(x.input, x.forward, x.output);
}

/// What one version of a model has done since this orchestrator started; the statistics extension
/// of the Open Inference Protocol.
struct model_statistics {
  std::string model;
  std::string version;
  /// Milliseconds since the Unix epoch; 0 before the first.
  std::int64_t last_inference_ms = 0;
  /// Rows, and forwards; neither counts cached answers.
  std::uint64_t inference_count = 0;
  std::uint64_t execution_count = 0;
  duration_count success;
  /// From request to answer, of those that were answered.
  runtime::duration_histogram first_response;
  duration_count fail;
  duration_count queue;
  duration_count input;
  duration_count forward;
  duration_count output;
  duration_count cache_hit;
  duration_count cache_miss;
  std::map<std::uint64_t, batch_statistics> by_batch_size;
  /// Failed requests: "REJECTED", "CANCELED", "BACKEND", "OTHER".
  std::map<std::string, std::uint64_t> failures;
  /// Requests that ROUTER has not answered yet.
  std::uint64_t pending = 0;
  /// Batches by why they left their queue: "full", "preferred", "delay", "idle", "alone".
  std::map<std::string, std::uint64_t> releases;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, model_statistics& x) {
  return f(x.model, x.version, x.last_inference_ms, x.inference_count, x.execution_count,
           x.success, x.first_response, x.fail, x.queue, x.input, x.forward, x.output,
           x.cache_hit, x.cache_miss, x.by_batch_size, x.failures, x.pending, x.releases);
}

/// Statistics of all versions, of one model's, or of one version. Errors: model_not_found.
struct get_model_statistics {
  std::string model;
  std::string version;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, get_model_statistics& x) {
  return f(x.model, x.version);
}

struct model_statistics_list {
  std::vector<model_statistics> models;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, model_statistics_list& x) {
  return f(x.models);
}

/// MODELS tells ROUTER what may be asked for, whole, whenever it changes, and when ROUTER asks with
/// `get_served_models`.
struct served_models {
  /// Grows with each change; an older one is ignored.
  std::uint64_t revision = 0;
  std::vector<served_version> versions;
  /// Alias to model and version ("" is the highest served).
  std::map<std::string, model_alias> aliases;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, served_models& x) {
  return f(x.revision, x.versions, x.aliases);
}

/// MODELS asks ROUTER to start the agents of a version on some node, so that its first request does
/// not wait for it. Replies when it serves. Errors: what kept it from starting (bad_model,
/// memory_limit, no_nodes, expired, ...).
struct prepare_model {
  model_entry model;
  std::uint64_t time_left_ms = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, prepare_model& x) {
  return f(x.model, x.time_left_ms);
}

struct model_prepared {
  std::string node_id;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, model_prepared& x) {
  return f(x.node_id);
}

/// MODELS asks ROUTER to let a version go: requests under way end, then its agents are stopped on
/// all nodes. Replies when every node has said so, or late after `time_left_ms`. Never fails.
struct retire_model {
  std::string model;
  std::string version;
  std::string digest;
  std::uint32_t revision = 0;
  std::uint64_t time_left_ms = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, retire_model& x) {
  return f(x.model, x.version, x.digest, x.revision, x.time_left_ms);
}

struct model_retired {
  /// Requests that had not ended in time.
  std::uint32_t left = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, model_retired& x) {
  return f(x.left);
}

// -- records of inferences
// --------------------------------------------------------------------------

/// What is kept of one direct inference: neither inputs nor outputs.
struct inference_record {
  runtime::shared_text request_id;
  runtime::shared_text model;
  runtime::shared_text version;
  runtime::shared_text node_id;
  /// `none` for a good end.
  runtime::error_code code = runtime::error_code::none;
  /// Milliseconds since the Unix epoch.
  std::int64_t ended_at = 0;
  std::uint64_t total_us = 0;
  std::uint64_t queue_us = 0;
  std::uint64_t forward_us = 0;
  std::uint32_t batch_rows = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, inference_record& x) {
  return f(x.request_id, x.model, x.version, x.node_id, x.code, x.ended_at, x.total_us, x.queue_us,
           x.forward_us, x.batch_rows);
}

/// The newest records, newest first; at most `limit`. Never fails.
struct get_inference_records {
  /// Empty: of all models.
  std::string model;
  std::uint32_t limit = 100;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, get_inference_records& x) {
  return f(x.model, x.limit);
}

struct inference_record_list {
  std::vector<inference_record> records;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, inference_record_list& x) {
  return f(x.records);
}

/// INTERNAL to ROUTER's RECORD WRITER: lines for the file. No reply, which would take ROUTER off
/// its thread; the ticket tells that they are written, or lost.
struct write_records {
  std::vector<inference_record> records;
  runtime::work_ticket ticket = {};
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, write_records& x) {
  return f(x.records, x.ticket);
}

/// INTERNAL to ROUTER: look at deadlines, and flush records.
struct router_due {
  std::int64_t at_ns = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, router_due& x) {
  return f(x.at_ns);
}

/// INTERNAL to ROUTER: count what has been asked for since the last time, and keep it.
struct popularity_due {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, popularity_due&) {
  return f();
}

/// INTERNAL to ROUTER: look for a node that has become idle, to start a popular model there.
struct prewarm_due {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, prewarm_due&) {
  return f();
}

}  // namespace dim::actors
