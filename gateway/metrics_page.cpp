#include "gateway/metrics_page.hpp"

#include <algorithm>
#include <mutex>

#include "actors/job/job_record.hpp"
#include "runtime/machine.hpp"

namespace dim::gateway {

namespace {

using runtime::label_values;
using runtime::metric;
using runtime::metric_page;

constexpr double seconds_us = 1'000'000;
constexpr double milliseconds_us = 1'000;

double seconds_of(std::int64_t milliseconds) {
  return static_cast<double>(milliseconds) / 1'000;
}

void add_device(metric_page& page, const label_values& node_is, const std::string& kind,
                const actors::device_load& device) {
  auto with = [&](std::initializer_list<std::string> more) {
    auto values = node_is;
    values.push_back(device.device);
    values.insert(values.end(), more);
    return values;
  };
  page.add(metric::device_memory_used, with({kind}),
           static_cast<double>(device.memory_used_bytes));
  page.add(metric::device_loads, with({kind}), static_cast<double>(device.loads));
  for (auto& each : device.loads_by_model)
    page.add(metric::model_load_duration, with({each.model, each.version}), each.took, seconds_us);
  page.add(metric::device_load_time, with({kind}),
           static_cast<double>(device.load_us) / 1'000'000);
  for (auto& agent : device.agents) {
    auto agent_is = with({agent.model, agent.version});
    page.add(metric::agent_workers, agent_is, agent.workers);
    if (agent.load_us > 0)
      page.add(metric::agent_load_time, agent_is,
               static_cast<double>(agent.load_us) / 1'000'000);
  }
}

void add_gpu(metric_page& page, const label_values& node_is, const actors::gpu_load& gpu) {
  auto gpu_is = node_is;
  gpu_is.push_back(gpu.device);
  gpu_is.push_back(gpu.uuid);
  auto add = [&](metric family, double value) { page.add(family, gpu_is, value); };
  add(metric::gpu_utilization, gpu.busy_permille / 1'000.0);
  add(metric::gpu_memory, static_cast<double>(gpu.memory_bytes));
  add(metric::gpu_memory_used, static_cast<double>(gpu.memory_used_bytes));
  // A GPU that can not tell these has no such sample.
  auto add_known = [&](metric family, std::uint64_t thousandths) {
    if (thousandths > 0)
      add(family, static_cast<double>(thousandths) / 1'000);
  };
  add_known(metric::gpu_power, gpu.power_mw);
  add_known(metric::gpu_power_limit, gpu.power_limit_mw);
  add_known(metric::gpu_energy, gpu.energy_mj);
}

void add_node(metric_page& page, const actors::node_record& node) {
  const label_values node_is{node.facts.id, node.facts.name};
  auto with = [&node_is](std::initializer_list<std::string> more) {
    auto values = node_is;
    values.insert(values.end(), more);
    return values;
  };
  auto add = [&](metric family, auto value) {
    page.add(family, node_is, static_cast<double>(value));
  };
  add(metric::node_up, status_of(node.state) == "offline" ? 0 : 1);
  page.add(metric::node_state, with({std::string{to_string(node.state)}}), 1);
  add(metric::node_quarantined, node.quarantine.active ? 1 : 0);
  add(metric::node_reputation, node.reputation);
  page.add(metric::node_executions, with({"successful"}),
           static_cast<double>(node.successful_jobs_run));
  page.add(metric::node_executions, with({"failed"}), static_cast<double>(node.failed_jobs));
  add(metric::node_registered, seconds_of(node.registered_at));
  add(metric::node_last_heartbeat, seconds_of(node.last_heartbeat));
  add(metric::node_cpu, node.load.cpu_permille / 1'000.0);
  add(metric::node_cpu_cores, node.facts.cpu_cores);
  add(metric::node_memory, node.facts.memory_bytes);
  add(metric::node_memory_used, node.load.memory_used_bytes);
  add(metric::node_disk_free, node.load.disk_free_bytes);
  add(metric::node_cache_used, node.load.cache_used_bytes);
  add(metric::node_cached_models, node.load.cached_models.size());
  add(metric::node_queued, node.load.queued);
  add(metric::node_active, node.load.active.size());
  for (auto& device : node.facts.devices) {
    auto device_is = with({device.name, device.kind});
    page.add(metric::device_cores, device_is, device.cores);
    page.add(metric::device_memory, device_is, static_cast<double>(device.memory_bytes));
    page.add(metric::device_slots, device_is, device.slots);
    // What a node that is gone said last runs there no more.
    auto load = std::find_if(node.load.devices.begin(), node.load.devices.end(),
                             [&](auto& each) { return each.device == device.name; });
    if (load != node.load.devices.end() && status_of(node.state) != "offline")
      add_device(page, node_is, device.kind, *load);
  }
  if (status_of(node.state) == "offline")
    return;
  for (auto& gpu : node.load.gpus)
    add_gpu(page, node_is, gpu);
}

void add_model(metric_page& page, const actors::model_statistics& model) {
  const label_values model_is{model.model, model.version};
  auto add = [&](metric family, std::uint64_t value) {
    page.add(family, model_is, static_cast<double>(value));
  };
  auto add_time = [&](metric family, const actors::duration_count& spent) {
    page.add(family, model_is, static_cast<double>(spent.ns) / 1'000);
  };
  auto add_each = [&](metric family, const auto& counts, auto name_of, auto count_of) {
    for (auto& each : counts)
      page.add(family, {model.model, model.version, name_of(each)},
               static_cast<double>(count_of(each)));
  };
  auto name = [](auto& entry) { return entry.first; };
  auto count = [](auto& entry) { return entry.second; };
  // Those that have not happened yet are there as well: a rate needs a beginning.
  auto failures = model.failures;
  for (auto* reason : {"REJECTED", "CANCELED", "BACKEND", "OTHER"})
    failures.try_emplace(reason, 0);
  add(metric::inference_success, model.success.count);
  add_each(metric::inference_failure, failures, name, count);
  add(metric::inference_count, model.inference_count);
  add(metric::inference_executions, model.execution_count);
  add(metric::inference_pending, model.pending);
  add_time(metric::inference_request_time, model.success);
  page.add(metric::inference_first_response, model_is, model.first_response, milliseconds_us);
  add_time(metric::inference_queue_time, model.queue);
  add_time(metric::inference_input_time, model.input);
  add_time(metric::inference_forward_time, model.forward);
  add_time(metric::inference_output_time, model.output);
  add_each(
    metric::inference_batches, model.by_batch_size,
    [](auto& entry) { return std::to_string(entry.first); },
    [](auto& entry) { return entry.second.forward.count; });
  add_each(metric::inference_releases, model.releases, name, count);
  add(metric::cache_hits, model.cache_hit.count);
  add(metric::cache_misses, model.cache_miss.count);
  add_time(metric::cache_hit_time, model.cache_hit);
  add_time(metric::cache_miss_time, model.cache_miss);
}

}  // namespace

void metrics_page::add_process(const runtime::process_metrics& orchestrator) {
  if (orchestrator.process_number != runtime::process_number())
    orchestrator_ = orchestrator.text;
}

void metrics_page::add_status(const actors::cluster_status& status) {
  for (std::size_t state = 0; state < status.jobs_by_state.size(); ++state)
    known_.add(metric::jobs, {std::string{to_string(static_cast<actors::job_state>(state))}},
               static_cast<double>(status.jobs_by_state[state]));
  known_.add(metric::nodes, {"online"}, status.nodes_online);
  known_.add(metric::nodes, {"busy"}, status.nodes_busy);
  known_.add(metric::nodes, {"offline"}, status.nodes_offline);
  known_.add(metric::executions_waiting, {}, status.executions_waiting);
  known_.add(metric::executions_running, {}, status.executions_running);
  known_.add(metric::last_event, {}, static_cast<double>(status.last_event));
  known_.add(metric::store_read_only, {}, status.read_only ? 1 : 0);
  known_.add(metric::placement_paused, {}, status.placement_paused ? 1 : 0);
}

void metrics_page::add_nodes(const actors::node_list& list) {
  for (auto& node : list.nodes)
    add_node(known_, node);
}

void metrics_page::add_models(const actors::model_statistics_list& list) {
  for (auto& model : list.models)
    add_model(known_, model);
}

void metrics_page::add_machine() {
  // Tells the share since the page before, whoever asked for that one.
  static runtime::cpu_meter processor;
  static std::mutex looking;
  std::lock_guard guard{looking};
  known_.add(metric::machine_cpu, {}, processor.permille() / 1'000.0);
  auto memory = runtime::machine_memory();
  known_.add(metric::machine_memory, {}, static_cast<double>(memory.total_bytes));
  known_.add(metric::machine_memory_used, {},
             static_cast<double>(memory.total_bytes - memory.available_bytes));
}

void metrics_page::add_source(const std::string& name, bool answered) {
  known_.add(metric::source_up, {name}, answered ? 1 : 0);
}

std::string metrics_page::text() const {
  return runtime::merge_metric_texts({runtime::metrics_text(), known_.text(), orchestrator_});
}

}  // namespace dim::gateway
