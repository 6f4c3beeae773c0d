#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "actors/agent/messages.hpp"
#include "actors/cluster/node_record.hpp"
#include "models/model_spec.hpp"
#include "models/tensor.hpp"
#include "runtime/bytes.hpp"

/// Messages between NODE and its children DEVICE, CACHE and CABINET RUN. They stay inside the
/// node's process.
namespace dim::actors {

// -- NODE
// ------------------------------------------------------------------------------------------

/// Asks NODE to take no new work. It replies when the last execution has ended and its result is
/// acknowledged, or when `wait_ms` has passed.
struct drain_node {
  std::uint32_t wait_ms = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, drain_node& x) {
  return f(x.wait_ms);
}

struct node_drained {
  /// Executions that had not ended in time, or whose result nobody has acknowledged.
  std::uint32_t left = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_drained& x) {
  return f(x.left);
}

/// INTERNAL: time to try to join. Only the newest counts.
struct join_due {
  std::uint64_t number = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, join_due& x) {
  return f(x.number);
}

/// INTERNAL: time for a heartbeat and for a look at deadlines and unacknowledged results.
struct heartbeat_due {
  /// Besides the regular ones: no other follows it.
  bool once = false;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, heartbeat_due& x) {
  return f(x.once);
}

// -- CACHE: models on this node's disk, and bytes by digest
// ----------------------------------------

/// A model that lies in the cache and is pinned there.
struct served_model {
  std::string name;
  std::string version;
  std::string digest;
  std::string path;
  std::uint64_t byte_size = 0;
  models::model_spec spec;
  std::uint32_t revision = 0;

  /// Names the agents of this model: two models may share a file and differ in their specs.
  std::string key() const {
    auto text = name + ":" + version + "@" + digest;
    return revision == 0 ? text : text + "+" + std::to_string(revision);
  }
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, served_model& x) {
  return f(x.name, x.version, x.digest, x.path, x.byte_size, x.spec, x.revision);
}

/// A model that many requests name: copying it copies a reference, and its key is made once.
class model_reference {
public:
  model_reference() : model_reference(served_model{}) {
  }
  model_reference(served_model model)
    : held_(std::make_shared<const named>(named{model.key(), std::move(model)})) {
  }

  const served_model& operator*() const noexcept {
    return held_->model;
  }
  const served_model* operator->() const noexcept {
    return &held_->model;
  }
  const std::string& key() const noexcept {
    return held_->key;
  }

private:
  struct named {
    std::string key;
    served_model model;
  };
  std::shared_ptr<const named> held_;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, model_reference& x) {
  if constexpr (Inspector::writes_state) {
    served_model model;
    auto&& result = f(model);
    x = model_reference{std::move(model)};
    return static_cast<typename Inspector::result_type>(result);
  } else {
    return f(const_cast<served_model&>(*x));
  }
}

/// Fetches the model unless it is there, and pins it until `release_model`. Requests for the same
/// model share one transfer. Errors: model_not_found, corrupt, unavailable (no orchestrator in the
/// time left), too_large, store_full, expired.
struct acquire_model {
  std::string name;
  std::string version;
  /// Empty: whatever the catalogue says.
  std::string digest;
  std::uint64_t time_left_ms = 0;
  /// Of the configuration; the one that is served now stands in for one that is no more.
  std::uint32_t revision = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, acquire_model& x) {
  return f(x.name, x.version, x.digest, x.time_left_ms, x.revision);
}

/// Ends the pin of one `acquire_model`. No reply.
struct release_model {
  std::string digest;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, release_model& x) {
  return f(x.digest);
}

/// Fetches a blob from the orchestrator and checks its digest. Errors: as for `acquire_model`.
struct fetch_blob {
  std::string digest;
  std::uint64_t byte_size = 0;
  std::uint64_t time_left_ms = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, fetch_blob& x) {
  return f(x.digest, x.byte_size, x.time_left_ms);
}

struct fetched_blob {
  runtime::bytes data;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, fetched_blob& x) {
  return f(x.data);
}

/// CACHE tells NODE what heartbeats carry, when it changes. No reply.
struct cache_changed {
  std::uint64_t used_bytes = 0;
  std::vector<std::string> digests;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, cache_changed& x) {
  return f(x.used_bytes, x.digests);
}

/// INTERNAL to CACHE: look at transfers that wait for the orchestrator or are out of time.
struct transfer_due {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, transfer_due&) {
  return f();
}

// -- DEVICE
// ----------------------------------------------------------------------------------------

/// Runs a request on this device, in the agent of its model, which is started when there is none.
/// The reply comes from AGENT.
struct run_on_device {
  model_reference model;
  infer request;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, run_on_device& x) {
  return f(x.model, x.request);
}

/// The same for requests to one model that came together.
struct run_group_on_device {
  model_reference model;
  infer_group group;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, run_group_on_device& x) {
  return f(x.model, x.group);
}

/// Starts the agent of this model, as soon as there is room for it, and replies when it serves; or
/// stops it and replies when it is gone. Errors: as of `warm_agent`; memory_limit (there can be no
/// room, or none is spare), overloaded (too many wait for it), cancelled (stopped while it waited).
struct serve_on_device {
  model_reference model;
  bool wanted = true;
  std::uint64_t time_left_ms = 0;
  /// See `set_agents`.
  bool only_spare = false;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, serve_on_device& x) {
  return f(x.model, x.wanted, x.time_left_ms, x.only_spare);
}

/// The sender no longer wants this request. No reply; see `withdraw_infer`.
struct withdraw_on_device {
  /// Empty: whichever agent has it.
  std::string model_key;
  std::string request_id;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, withdraw_on_device& x) {
  return f(x.model_key, x.request_id);
}

/// DEVICE tells NODE which models have an agent here, and what heartbeats say of the device, when
/// that changes. No reply.
struct device_changed {
  std::vector<std::string> model_keys;
  device_load load;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, device_changed& x) {
  return f(x.model_keys, x.load);
}

// -- CABINET RUN
// -----------------------------------------------------------------------------------

/// The first forward over a cabinet's rows has begun.
struct cabinet_started {
  std::string execution_id;
  std::uint32_t epoch = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, cabinet_started& x) {
  return f(x.execution_id, x.epoch);
}

/// How the run ended: `result.outputs` are reduced.
struct cabinet_finished {
  std::string execution_id;
  std::uint32_t epoch = 0;
  infer_result result;
  std::uint64_t rows = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, cabinet_finished& x) {
  return f(x.execution_id, x.epoch, x.result, x.rows);
}

/// The run is no longer wanted: rows on their way are finished and dropped, then it ends as
/// `cancelled`.
struct stop_cabinet_run {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, stop_cabinet_run&) {
  return f();
}

/// INTERNAL to CABINET RUN: read the next rows.
struct cabinet_due {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, cabinet_due&) {
  return f();
}

}  // namespace dim::actors
