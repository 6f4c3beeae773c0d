#include "gateway/node_json.hpp"

#include <algorithm>

#include "actors/job/job_record.hpp"

namespace dim::gateway {

namespace {

/// Whole gigabytes (2^30 bytes), as the API counts memory.
std::uint64_t gigabytes(std::uint64_t bytes) {
  return (bytes + (1u << 29)) >> 30;
}

void write_device(json_writer& out, const actors::device_facts& device) {
  out.begin_object();
  out.member("name", device.name);
  out.member("kind", device.kind);
  out.text_or_null("model", device.model);
  out.member("cores", device.cores);
  out.member("memory_bytes", device.memory_bytes);
  out.member("slots", device.slots);
  out.end_object();
}

void write_cabinet(json_writer& out, const actors::cabinet_facts& cabinet) {
  out.begin_object();
  out.member("name", cabinet.name);
  out.member("rows", cabinet.rows);
  out.member("columns", cabinet.columns);
  out.end_object();
}

void write_device_load(json_writer& out, const actors::device_load& device) {
  out.begin_object();
  out.member("name", device.device);
  out.member("memory_used_bytes", device.memory_used_bytes);
  out.key("agents");
  out.begin_array();
  for (auto& each : device.agents) {
    out.begin_object();
    out.member("model", each.model);
    out.member("version", each.version);
    out.member("workers", each.workers);
    out.member("load_ms", static_cast<double>(each.load_us) / 1'000);
    out.end_object();
  }
  out.end_array();
  out.end_object();
}

void write_load(json_writer& out, const actors::node_load& load) {
  out.begin_object();
  out.member("cpu_percent", load.cpu_permille / 10.0);
  out.member("memory_used_bytes", load.memory_used_bytes);
  out.member("disk_free_bytes", load.disk_free_bytes);
  out.member("cache_used_bytes", load.cache_used_bytes);
  out.member("queued", load.queued);
  out.member("active_executions", load.active);
  out.member("cached_models", load.cached_models);
  out.key("devices");
  out.begin_array();
  for (auto& each : load.devices)
    write_device_load(out, each);
  out.end_array();
  out.end_object();
}

void write_quarantine(json_writer& out, const actors::quarantine_record& quarantine) {
  out.begin_object();
  out.member("active", quarantine.active);
  out.member("by_hand", quarantine.by_hand);
  out.member("failures_in_a_row", quarantine.failures_in_a_row);
  out.member("probes_good", quarantine.probes_good);
  out.member("probes_bad", quarantine.probes_bad);
  out.time_or_null("since", quarantine.since);
  out.text_or_null("reason", quarantine.reason);
  out.end_object();
}

void write_facts(json_writer& out, const actors::node_facts& facts) {
  auto gpu = std::find_if(facts.devices.begin(), facts.devices.end(),
                          [](auto& device) { return device.kind == "cuda"; });
  auto has_gpu = gpu != facts.devices.end();
  out.member("id", facts.id);
  out.text_or_null("name", facts.name);
  out.text_or_null("owner", facts.owner);
  out.text_or_null("region", facts.region);
  out.member("cpu_cores", facts.cpu_cores);
  out.member("memory_gb", gigabytes(facts.memory_bytes));
  out.member("memory_bytes", facts.memory_bytes);
  out.member("gpu_enabled", has_gpu);
  out.text_or_null("gpu_model", has_gpu ? gpu->model : std::string{});
}

}  // namespace

void write_node(json_writer& out, const actors::node_record& node) {
  out.begin_object();
  write_facts(out, node.facts);
  out.member("status", status_of(node.state));
  out.member("state", to_string(node.state));
  out.member("reputation_score", static_cast<double>(node.reputation));
  out.member("total_jobs_run", node.total_jobs_run);
  out.member("successful_jobs_run", node.successful_jobs_run);
  out.member("failed_jobs", node.failed_jobs);
  out.member("credits_earned", 0);
  out.time_or_null("last_heartbeat", node.last_heartbeat);
  out.time_or_null("registered_at", node.registered_at);
  out.text_or_null("current_job_id", node.load.current_job_id);
  out.key("devices");
  out.begin_array();
  for (auto& each : node.facts.devices)
    write_device(out, each);
  out.end_array();
  out.key("cabinets");
  out.begin_array();
  for (auto& each : node.facts.cabinets)
    write_cabinet(out, each);
  out.end_array();
  out.key("load");
  write_load(out, node.load);
  out.member("drain_wanted", node.drain_wanted);
  out.key("quarantine");
  write_quarantine(out, node.quarantine);
  out.end_object();
}

void write_status(json_writer& out, const actors::cluster_status& status,
                  const std::optional<inference_totals>& inferences) {
  out.begin_object();
  out.member("cluster", status.cluster);
  out.member("generation", status.generation);
  out.time_or_null("started_at", status.started_at);
  out.key("nodes");
  out.begin_object();
  out.member("total", status.nodes_online + status.nodes_busy + status.nodes_offline);
  out.member("online", status.nodes_online);
  out.member("busy", status.nodes_busy);
  out.member("offline", status.nodes_offline);
  out.end_object();
  out.key("resources");
  out.begin_object();
  out.member("cpu_cores", status.cpu_cores);
  out.member("memory_gb", gigabytes(status.memory_bytes));
  out.member("memory_bytes", status.memory_bytes);
  out.end_object();
  out.key("jobs");
  out.begin_object();
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < status.jobs_by_state.size(); ++i) {
    out.member(to_string(static_cast<actors::job_state>(i)), status.jobs_by_state[i]);
    total += status.jobs_by_state[i];
  }
  out.member("total", total);
  out.end_object();
  out.key("executions");
  out.begin_object();
  out.member("total", status.executions_total);
  out.member("waiting", status.executions_waiting);
  out.member("running", status.executions_running);
  out.end_object();
  write_inference_totals(out, inferences);
  out.member("last_event", status.last_event);
  out.member("read_only", status.read_only);
  out.text_or_null("read_only_reason",
                   status.read_only ? std::string{to_string(status.store_health)} : std::string{});
  out.member("placement_paused", status.placement_paused);
  out.end_object();
}

}  // namespace dim::gateway
