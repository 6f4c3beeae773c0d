#include "runtime/metric_table.hpp"

#include <array>

#include "runtime/enum_names.hpp"

namespace dim::runtime {

namespace {

constexpr auto counter = metric_kind::counter;
constexpr auto gauge = metric_kind::gauge;
constexpr auto histogram = metric_kind::histogram;

constexpr auto rows = std::to_array<metric_row>({
  {metric::http_requests, "http_requests_total", counter, "method,route,status",
   "HTTP requests answered"},
  {metric::http_request_duration, "http_request_duration_seconds", histogram, "method,route",
   "From the header of an HTTP request to the last byte of its answer"},
  {metric::gateway_connections, "dim_gateway_connections", gauge, "", "Open HTTP connections"},
  {metric::gateway_received_bytes, "dim_gateway_received_bytes_total", counter, "",
   "Bytes of HTTP requests"},
  {metric::gateway_sent_bytes, "dim_gateway_sent_bytes_total", counter, "",
   "Bytes of HTTP answers"},

  {metric::jobs, "jobs_total", gauge, "status", "Jobs that are stored"},
  {metric::job_duration, "dim_job_duration_seconds", histogram, "pattern,status",
   "From the submission of a job to its end"},
  {metric::job_execution_duration, "job_execution_duration_seconds", histogram, "status",
   "From the start of an execution on its node to its end"},
  {metric::executions_waiting, "dim_executions_waiting", gauge, "",
   "Executions that wait for a node"},
  {metric::executions_running, "dim_executions_running", gauge, "",
   "Executions that nodes have in hand"},
  {metric::executions, "dim_executions_total", counter, "status", "Executions that have ended"},
  {metric::execution_retries, "dim_execution_retries_total", counter, "",
   "Executions that were a second or later attempt"},
  {metric::consensus, "verification_consensus_total", counter, "reached",
   "Replicated and comparative jobs whose answers were compared"},
  {metric::consensus_reached, "verification_consensus_reached", gauge, "",
   "Share of them that reached consensus, 0 to 1"},

  {metric::events, "dim_events_total", counter, "topic", "Events that were committed"},
  {metric::last_event, "dim_last_event", gauge, "", "Number of the newest event"},
  {metric::store_commits, "dim_store_commits_total", counter, "outcome",
   "Commits: written, or refused"},
  {metric::store_transaction_duration, "dim_store_transaction_duration_seconds", histogram, "",
   "A transaction on disk, which holds all commits that had gathered"},
  {metric::store_read_only, "dim_store_read_only", gauge, "",
   "1 while the store takes no changes"},
  {metric::placement_paused, "dim_placement_paused", gauge, "",
   "1 while no execution is placed, on request"},

  {metric::nodes, "nodes_total", gauge, "status", "Nodes that are known"},
  {metric::node_losses, "dim_node_losses_total", counter, "reason",
   "Nodes that went: lost, or left in order"},
  {metric::node_up, "dim_node_up", gauge, "node_id,node",
   "1 for a node that is a member, 0 for one that is offline"},
  {metric::node_state, "dim_node_state", gauge, "node_id,node,state",
   "1 under the state of a node: online, busy, suspect, quarantined, draining, offline"},
  {metric::node_quarantined, "dim_node_quarantined", gauge, "node_id,node",
   "1 while a node gets probes and no other work"},
  {metric::node_reputation, "dim_node_reputation", gauge, "node_id,node", "Score of a node"},
  {metric::node_executions, "dim_node_executions_total", counter, "node_id,node,outcome",
   "Executions that have ended on a node"},
  {metric::node_registered, "dim_node_registered_timestamp_seconds", gauge, "node_id,node",
   "When a node joined for the first time"},
  {metric::node_last_heartbeat, "dim_node_last_heartbeat_timestamp_seconds", gauge,
   "node_id,node", "When a node was heard of"},
  {metric::node_cpu, "dim_node_cpu_ratio", gauge, "node_id,node",
   "Share of all cores of the node's machine that is in use, 0 to 1"},
  {metric::node_cpu_cores, "dim_node_cpu_cores", gauge, "node_id,node", "Cores of a node"},
  {metric::node_memory, "dim_node_memory_bytes", gauge, "node_id,node",
   "Memory that a node offers"},
  {metric::node_memory_used, "dim_node_memory_used_bytes", gauge, "node_id,node",
   "Memory that a node offers and that is in use"},
  {metric::node_disk_free, "dim_node_disk_free_bytes", gauge, "node_id,node",
   "Free disk below the data folder of a node"},
  {metric::node_cache_used, "dim_node_cache_used_bytes", gauge, "node_id,node",
   "Models in the cache of a node"},
  {metric::node_cached_models, "dim_node_cached_models", gauge, "node_id,node",
   "Number of models in the cache of a node"},
  {metric::node_queued, "dim_node_queued", gauge, "node_id,node",
   "Executions that wait on a node"},
  {metric::node_active, "dim_node_active_executions", gauge, "node_id,node",
   "Executions that a node has in hand"},
  {metric::device_cores, "dim_device_cores", gauge, "node_id,node,device,kind",
   "Cores of a device"},
  {metric::device_memory, "dim_device_memory_bytes", gauge, "node_id,node,device,kind",
   "Memory of a device"},
  {metric::device_slots, "dim_device_slots", gauge, "node_id,node,device,kind",
   "Executions that a device runs at once"},
  {metric::device_memory_used, "dim_device_memory_used_bytes", gauge,
   "node_id,node,device,kind", "Memory that the agents of a device are counted with"},
  {metric::device_loads, "dim_model_loads_total", counter,
   "node_id,node,device,kind", "Models that workers on a device have loaded"},
  {metric::device_load_time, "dim_model_load_seconds_total", counter,
   "node_id,node,device,kind", "Seconds which that took, from the start of each worker"},
  {metric::agent_workers, "dim_agent_workers", gauge, "node_id,node,device,model,version",
   "Workers of the agent that serves a model on a device"},
  {metric::agent_load_time, "nv_model_load_duration_secs", gauge,
   "node_id,node,device,model,version",
   "Seconds from the start of the agent's worker that loaded last until it could serve"},
  {metric::model_load_duration, "dim_model_load_duration_seconds", histogram,
   "node_id,node,device,model,version",
   "From the start of each worker of a model until it could serve"},
  {metric::gpu_utilization, "nv_gpu_utilization", gauge, "node_id,node,device,gpu_uuid",
   "Share of the time in which a GPU computed, 0 to 1"},
  {metric::gpu_memory, "nv_gpu_memory_total_bytes", gauge, "node_id,node,device,gpu_uuid",
   "Memory of a GPU"},
  {metric::gpu_memory_used, "nv_gpu_memory_used_bytes", gauge, "node_id,node,device,gpu_uuid",
   "Memory of a GPU that is in use, by whomever"},
  {metric::gpu_power, "nv_gpu_power_usage", gauge, "node_id,node,device,gpu_uuid",
   "Watts that a GPU draws"},
  {metric::gpu_power_limit, "nv_gpu_power_limit", gauge, "node_id,node,device,gpu_uuid",
   "Watts that a GPU may draw"},
  {metric::gpu_energy, "nv_energy_consumption", counter, "node_id,node,device,gpu_uuid",
   "Joules that a GPU has used since its driver was loaded"},

  {metric::inference_success, "nv_inference_request_success", counter, "model,version",
   "Direct inferences that were answered"},
  {metric::inference_failure, "nv_inference_request_failure", counter, "model,version,reason",
   "Direct inferences that failed: REJECTED, CANCELED, BACKEND or OTHER"},
  {metric::inference_count, "nv_inference_count", counter, "model,version",
   "Rows of direct inferences, without cached answers"},
  {metric::inference_executions, "nv_inference_exec_count", counter, "model,version",
   "Forwards, each of one batch"},
  {metric::inference_pending, "nv_inference_pending_request_count", gauge, "model,version",
   "Direct inferences that are not answered yet"},
  {metric::inference_request_time, "nv_inference_request_duration_us", counter, "model,version",
   "Microseconds of answered inferences, from end to end"},
  {metric::inference_first_response, "nv_inference_first_response_histogram_ms", histogram,
   "model,version",
   "Milliseconds from an inference's request to its answer, which is its first and only one"},
  {metric::inference_queue_time, "nv_inference_queue_duration_us", counter, "model,version",
   "Microseconds in queues"},
  {metric::inference_input_time, "nv_inference_compute_input_duration_us", counter,
   "model,version", "Microseconds in which inputs were made into batches"},
  {metric::inference_forward_time, "nv_inference_compute_infer_duration_us", counter,
   "model,version", "Microseconds in the model itself"},
  {metric::inference_output_time, "nv_inference_compute_output_duration_us", counter,
   "model,version", "Microseconds in which batches were made into outputs"},
  {metric::inference_batches, "dim_inference_batches_total", counter, "model,version,batch_size",
   "Forwards by rows of their batch"},
  {metric::inference_releases, "dim_inference_batch_releases_total", counter,
   "model,version,reason",
   "Batches by why they left their queue: full, preferred, delay, idle or alone"},
  {metric::cache_hits, "nv_cache_num_hits_per_model", counter, "model,version",
   "Inferences answered by the result cache"},
  {metric::cache_misses, "nv_cache_num_misses_per_model", counter, "model,version",
   "Inferences that the result cache did not know"},
  {metric::cache_hit_time, "nv_cache_hit_duration_per_model", counter, "model,version",
   "Microseconds of inferences that were answered by the result cache"},
  {metric::cache_miss_time, "nv_cache_miss_duration_per_model", counter, "model,version",
   "Microseconds of looking up what was not there, and of keeping its answer"},

  {metric::source_up, "dim_metrics_source_up", gauge, "source",
   "1 for a part of this page that was answered in time, else 0"},

  {metric::machine_cpu, "nv_cpu_utilization", gauge, "",
   "Share of all cores of the gateway's machine in use since the last look, 0 to 1"},
  {metric::machine_memory, "nv_cpu_memory_total_bytes", gauge, "",
   "Memory of the gateway's machine"},
  {metric::machine_memory_used, "nv_cpu_memory_used_bytes", gauge, "",
   "Memory of the gateway's machine that is in use"},
  {metric::process_memory, "process_resident_memory_bytes", gauge, "process",
   "Physical memory of a process, with the pages of files that it has mapped"},
  {metric::process_cpu_time, "process_cpu_seconds_total", counter, "process",
   "Processor time of a process"},
  {metric::process_open_files, "process_open_fds", gauge, "process",
   "Open file descriptors of a process"},
  {metric::process_started, "process_start_time_seconds", gauge, "process",
   "When a process was started"},
  {metric::actors, "dim_actors", gauge, "process,actor", "Living actors"},
  {metric::actors_stuck, "dim_actors_stuck", gauge, "process,actor",
   "Actors of this name that have handled one message for longer than stuck_ms"},
  {metric::actor_mailbox, "dim_actor_mailbox_messages", gauge, "process,actor",
   "Messages that wait in the mailboxes of all actors of this name"},
  {metric::actor_mailbox_peak, "dim_actor_mailbox_messages_peak", gauge, "process,actor",
   "The most that ever waited in one of their mailboxes"},
});

constexpr bool is_in_order() {
  for (std::size_t index = 0; index < rows.size(); ++index)
    if (static_cast<std::size_t>(rows[index].id) != index)
      return false;
  return true;
}
static_assert(is_in_order());

constexpr enum_names<3> kinds{"counter", "gauge", "histogram"};

}  // namespace

std::span<const metric_row> metric_rows() noexcept {
  return rows;
}

const metric_row& row_of(metric family) noexcept {
  return rows[static_cast<std::size_t>(family)];
}

std::string_view to_string(metric_kind kind) noexcept {
  return name_of(kinds, kind);
}

}  // namespace dim::runtime
