#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

/// Every family of metrics that a process may show, with its help: the one place where a name is.
namespace dim::runtime {

enum class metric : std::uint8_t {
  // The gateway, up to gateway_sent_bytes: not shown by other gateways.
  http_requests,
  http_request_duration,
  gateway_connections,
  gateway_received_bytes,
  gateway_sent_bytes,
  // Jobs and their executions.
  jobs,
  job_duration,
  job_execution_duration,
  executions_waiting,
  executions_running,
  executions,
  execution_retries,
  consensus,
  consensus_reached,
  // The orchestrator.
  events,
  last_event,
  store_commits,
  store_transaction_duration,
  store_read_only,
  placement_paused,
  // Nodes, by their heartbeats.
  nodes,
  node_losses,
  node_up,
  node_state,
  node_quarantined,
  node_reputation,
  node_executions,
  node_registered,
  node_last_heartbeat,
  node_cpu,
  node_cpu_cores,
  node_memory,
  node_memory_used,
  node_disk_free,
  node_cache_used,
  node_cached_models,
  node_queued,
  node_active,
  device_cores,
  device_memory,
  device_slots,
  device_memory_used,
  device_loads,
  device_load_time,
  agent_workers,
  agent_load_time,
  model_load_duration,
  gpu_utilization,
  gpu_memory,
  gpu_memory_used,
  gpu_power,
  gpu_power_limit,
  gpu_energy,
  // Direct inference, by model version.
  inference_success,
  inference_failure,
  inference_count,
  inference_executions,
  inference_pending,
  inference_request_time,
  inference_first_response,
  inference_queue_time,
  inference_input_time,
  inference_forward_time,
  inference_output_time,
  inference_batches,
  inference_releases,
  cache_hits,
  cache_misses,
  cache_hit_time,
  cache_miss_time,
  // What a page is made of.
  source_up,
  // The machine and the processes.
  machine_cpu,
  machine_memory,
  machine_memory_used,
  process_memory,
  process_cpu_time,
  process_open_files,
  process_started,
  actors,
  actors_stuck,
  actor_mailbox,
  actor_mailbox_peak,
};

enum class metric_kind : std::uint8_t { counter, gauge, histogram };

/// One family.
struct metric_row {
  metric id;
  std::string_view name;
  metric_kind kind;
  /// Separated by commas, in the order in which values are given; "" for none.
  std::string_view labels;
  /// What it counts, with the unit where the name has none.
  std::string_view help;
};

/// All families, in the order of `metric`.
std::span<const metric_row> metric_rows() noexcept;

const metric_row& row_of(metric family) noexcept;

/// "counter", "gauge", "histogram".
std::string_view to_string(metric_kind kind) noexcept;

}  // namespace dim::runtime
