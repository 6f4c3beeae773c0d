#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/duration_histogram.hpp"
#include "runtime/real.hpp"

namespace dim::actors {

///   joining --> online <--> busy --> suspect --> offline
///
/// Beside them `quarantined` (no new work until good probes) and `draining` (no new work at all).
enum class node_state : std::uint8_t {
  joining,
  online,
  busy,
  suspect,
  offline,
  quarantined,
  draining
};
std::string_view to_string(node_state value) noexcept;
std::optional<node_state> node_state_from(std::string_view text) noexcept;
constexpr node_state last_value(node_state) noexcept {
  return node_state::draining;
}
/// The three words of the public interface: "online", "busy" (there, but takes no new work: busy,
/// quarantined or draining) or "offline".
std::string_view status_of(node_state value) noexcept;

/// A device as its node offers it.
struct device_facts {
  std::string name;  ///< "cpu:0", "cpu:0-1", "cuda:0"
  std::string kind;  ///< "cpu" or "cuda"
  std::string model;
  std::uint32_t cores = 0;
  std::uint64_t memory_bytes = 0;
  /// Executions that may run here at once.
  std::uint32_t slots = 1;

  bool operator==(const device_facts&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, device_facts& x) {
  return f(x.name, x.kind, x.model, x.cores, x.memory_bytes, x.slots);
}

/// The number of a GPU; none for a set of cores.
std::optional<std::uint32_t> gpu_of(const device_facts& device);

bool has_gpu(const std::vector<device_facts>& devices);

/// What a node tells of a cabinet: never its rows.
struct cabinet_facts {
  std::string name;
  std::uint64_t rows = 0;
  std::vector<std::string> columns;  ///< Tensor names, which are model inputs.

  bool operator==(const cabinet_facts&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, cabinet_facts& x) {
  return f(x.name, x.rows, x.columns);
}

/// What a node says of itself when it joins.
struct node_facts {
  std::string id;  ///< UUID, made once and kept in the node's data folder.
  std::string name;
  std::string owner;  ///< Who runs it: replicas go to distinct owners.
  std::string region;
  std::uint32_t cpu_cores = 0;
  std::uint64_t memory_bytes = 0;
  std::vector<device_facts> devices;
  std::vector<cabinet_facts> cabinets;
  /// Work the node accepts beyond what runs.
  std::uint32_t queue_max = 1024;

  bool operator==(const node_facts&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_facts& x) {
  return f(x.id, x.name, x.owner, x.region, x.cpu_cores, x.memory_bytes, x.devices, x.cabinets,
           x.queue_max);
}

/// The agent of one model version on a device.
struct agent_facts {
  std::string model;
  std::string version;
  /// How many it runs side by side.
  std::uint32_t workers = 1;
  /// From the start of the worker that loaded last until it could serve; 0: none has.
  std::uint64_t load_us = 0;

  bool operator==(const agent_facts&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, agent_facts& x) {
  return f(x.model, x.version, x.workers, x.load_us);
}

/// How long loading one model version took, of all its workers on a device.
struct model_loads {
  std::string model;
  std::string version;
  runtime::duration_histogram took;

  bool operator==(const model_loads&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, model_loads& x) {
  return f(x.model, x.version, x.took);
}

/// What runs on a device.
struct device_load {
  std::string device;
  /// What its agents are counted with, those that are on their way out included.
  std::uint64_t memory_used_bytes = 0;
  /// Models that workers have loaded since the device was started, and how long that took together.
  std::uint64_t loads = 0;
  std::uint64_t load_us = 0;
  /// By model; at most `agents_named_max`.
  std::vector<agent_facts> agents;
  /// The same loads by model; those beyond `agents_named_max` models are not told apart.
  std::vector<model_loads> loads_by_model = {};

  bool operator==(const device_load&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, device_load& x) {
  return f(x.device, x.memory_used_bytes, x.loads, x.load_us, x.agents, x.loads_by_model);
}

/// So that no heartbeat grows without limit.
inline constexpr std::size_t agents_named_max = 256;

/// What the driver says of a GPU. What it does not say is 0.
struct gpu_load {
  /// "cuda:0".
  std::string device;
  std::string uuid;
  std::uint64_t memory_bytes = 0;
  std::uint64_t memory_used_bytes = 0;
  std::uint32_t busy_permille = 0;  ///< Of the time since the look before.
  std::uint64_t power_mw = 0;
  std::uint64_t power_limit_mw = 0;
  /// Since the driver was loaded.
  std::uint64_t energy_mj = 0;

  bool operator==(const gpu_load&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, gpu_load& x) {
  return f(x.device, x.uuid, x.memory_bytes, x.memory_used_bytes, x.busy_permille, x.power_mw,
           x.power_limit_mw, x.energy_mj);
}

/// What a heartbeat carries.
struct node_load {
  std::uint32_t cpu_permille = 0;  ///< Of all cores.
  std::uint64_t memory_used_bytes = 0;
  std::uint64_t disk_free_bytes = 0;
  std::uint64_t cache_used_bytes = 0;
  std::uint32_t queued = 0;
  /// Ids of the executions in hand.
  std::vector<std::string> active;
  /// Digests of the models in the cache.
  std::vector<std::string> cached_models;
  /// The job of the execution that has run longest; empty when idle.
  std::string current_job_id;
  /// In the order of their names.
  std::vector<device_load> devices;
  /// Those among the devices of which the driver says something.
  std::vector<gpu_load> gpus;

  bool operator==(const node_load&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_load& x) {
  return f(x.cpu_permille, x.memory_used_bytes, x.disk_free_bytes, x.cache_used_bytes, x.queued,
           x.active, x.cached_models, x.current_job_id, x.devices, x.gpus);
}

/// Whether a node is kept from new work because its executions failed, and how its probes go.
struct quarantine_record {
  bool active = false;
  /// An operator began it, and only an operator ends it.
  bool by_hand = false;
  std::uint32_t failures_in_a_row = 0;
  std::uint32_t probes_good = 0;
  /// In a row; the pause before the next probe doubles with each.
  std::uint32_t probes_bad = 0;
  std::int64_t since = 0;
  std::string reason;
  /// Of the execution that failed last: what a probe runs.
  std::string model;
  std::string version;

  bool operator==(const quarantine_record&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, quarantine_record& x) {
  return f(x.active, x.by_hand, x.failures_in_a_row, x.probes_good, x.probes_bad, x.since,
           x.reason, x.model, x.version);
}

/// A node as it is stored and shown (row A96). Members are only ever appended: older rows are
/// shorter, and leave the rest at its defaults.
struct node_record {
  node_facts facts;
  node_state state = node_state::joining;
  std::uint64_t incarnation = 0;
  runtime::real reputation = 100.0;
  std::uint64_t total_jobs_run = 0;
  std::uint64_t successful_jobs_run = 0;
  std::uint64_t failed_jobs = 0;
  std::int64_t registered_at = 0;
  std::int64_t last_heartbeat = 0;
  node_load load;
  quarantine_record quarantine;
  /// An operator wants it to take no new work, also after it has joined again.
  bool drain_wanted = false;

  bool operator==(const node_record&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_record& x) {
  return f(x.facts, x.state, x.incarnation, x.reputation, x.total_jobs_run, x.successful_jobs_run,
           x.failed_jobs, x.registered_at, x.last_heartbeat, x.load, x.quarantine,
           x.drain_wanted);
}

}  // namespace dim::actors
