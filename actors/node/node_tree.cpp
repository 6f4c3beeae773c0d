#include "actors/node/node_tree.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <utility>

#include <caf/all.hpp>

#include "actors/agent/agent_entry.hpp"
#include "actors/agent/agent_process.hpp"
#include "actors/agent/thread_worker.hpp"
#include "actors/node/device.hpp"
#include "actors/node/model_store.hpp"
#include "actors/node/node.hpp"
#include "actors/type_ids.hpp"
#include "models/device.hpp"
#include "models/gpu_meter.hpp"
#include "runtime/link.hpp"
#include "runtime/machine.hpp"
#include "runtime/spawn.hpp"

namespace dim::actors {

namespace {

using runtime::make_child;

/// Cells of the node's actors, which its children share.
struct node_services {
  runtime::service<model_store_actor> cache;
  runtime::service<caf::actor> agent_entry;
  std::map<std::string, runtime::service<device_actor>> devices;
};

std::filesystem::path cache_folder(const config::options& options) {
  return std::filesystem::path{options.cluster.data_dir} / "model-cache";
}

/// Processes by default; threads for models that ask for them, or where all are to be threads.
worker_host_factory make_hosts(const node_tree_arguments& arguments,
                               const node_services& services) {
  auto& options = arguments.options;
  return [agent = options.agent, cluster = options.cluster, launcher = arguments.launcher,
          entry = services.agent_entry, make_inference = arguments.make_inference,
          decorate = arguments.decorate](
           caf::local_actor& parent, const worker_order& order,
           const worker_listener_actor& listener) -> worker_host_actor {
    auto on_thread =
      order.isolated == models::isolation::thread || agent.isolation == "thread";
    if ((on_thread || !launcher) && make_inference)
      return parent.spawn<caf::linked>(thread_worker, order, listener, make_inference,
                                       decorate);
    return parent.spawn<caf::linked>(
      agent_process, agent_process_arguments{order, listener, agent, cluster.heartbeat_ms,
                                             cluster.lost_ms, cluster.spin_us, launcher, entry,
                                             decorate});
  };
}

/// Numbers of the GPUs among `devices`, and their names.
std::map<std::uint32_t, std::string> gpus_among(const std::vector<device_facts>& devices) {
  std::map<std::uint32_t, std::string> gpus;
  for (auto& each : devices)
    if (auto name = models::parse_device(each.name);
        name && name->kind == models::device_kind::cuda)
      gpus.emplace(name->first, each.name);
  return gpus;
}

gpu_load load_of(const std::string& device, const models::gpu_reading& told) {
  return {device, told.uuid, told.memory_bytes, told.memory_used_bytes, told.busy_percent * 10,
          told.power_mw, told.power_limit_mw, told.energy_mj};
}

/// What heartbeats tell of the machine.
std::function<node_load()> make_measure(const config::options& options, const node_facts& facts) {
  auto gpus = gpus_among(facts.devices);
  std::shared_ptr<models::gpu_watch> watch;
  if (!gpus.empty()) {
    std::vector<std::uint32_t> numbers;
    for (auto& [number, device] : gpus)
      numbers.push_back(number);
    watch = std::make_shared<models::gpu_watch>(
      std::move(numbers), std::chrono::milliseconds{options.cluster.heartbeat_ms});
  }
  return [meter = std::make_shared<runtime::cpu_meter>(), folder = options.cluster.data_dir, gpus,
          watch, offered = facts.memory_bytes] {
    node_load load;
    load.cpu_permille = meter->permille();
    load.memory_used_bytes = memory_in_use(runtime::machine_memory(), offered);
    load.disk_free_bytes = runtime::disk_free_bytes(folder);
    if (watch)
      for (auto& [number, told] : watch->latest())
        load.gpus.push_back(load_of(gpus.at(number), told));
    return load;
  };
}

runtime::child_spec cache_child(const node_tree_arguments& arguments,
                                const node_services& services) {
  model_store_arguments values;
  values.cluster = arguments.options.cluster;
  values.cache = {cache_folder(arguments.options), arguments.options.node.cache_bytes};
  values.entry = arguments.entry;
  values.node = arguments.node;
  return make_child("CACHE", services.cache,
                    [values](caf::local_actor& parent) -> model_store_actor {
                      return runtime::spawn_detached(parent.home_system(), parent, model_store,
                                                     values);
                    });
}

runtime::child_spec agent_entry_child(const node_services& services) {
  return make_child("AGENT ENTRY", services.agent_entry,
                    [](caf::local_actor& parent) -> caf::actor {
                      return parent.spawn(agent_entry,
                                          runtime::middleman_of(parent.home_system()));
                    });
}

runtime::child_spec device_child(const device_facts& facts, bool some_gpu,
                                 const node_tree_arguments& arguments,
                                 const node_services& services) {
  device_arguments values;
  values.facts = facts;
  values.some_gpu = some_gpu;
  values.options = arguments.options.agent;
  values.supervision = arguments.options.supervision;
  values.make_host = make_hosts(arguments, services);
  values.node = arguments.node;
  return make_child("DEVICE " + facts.name, services.devices.at(facts.name),
                    [values](caf::local_actor& parent) -> device_actor {
                      return parent.spawn(device, values);
                    });
}

runtime::child_spec node_child(const node_setup& setup, const node_tree_arguments& arguments,
                               const node_services& services) {
  node_arguments values;
  values.cluster = arguments.options.cluster;
  values.options = arguments.options.node;
  values.agent = arguments.options.agent;
  values.facts = setup.facts;
  values.cabinets = setup.cabinets;
  values.entry = arguments.entry;
  values.cache = services.cache;
  values.devices = services.devices;
  values.measure =
    arguments.measure ? arguments.measure : make_measure(arguments.options, setup.facts);
  return make_child("NODE", arguments.node,
                    [values](caf::local_actor& parent) -> node_control_actor {
                      return parent.spawn(node, values);
                    });
}

}  // namespace

std::uint64_t memory_in_use(const runtime::memory_facts& machine, std::uint64_t offered) {
  return machine.total_bytes == 0 ? 0 : offered - std::min(offered, machine.available_bytes);
}

runtime::supervisor_spec node_tree(const node_setup& setup, node_tree_arguments arguments) {
  node_services services;
  for (auto& device : setup.facts.devices)
    services.devices[device.name] = {};
  auto& limits = arguments.options.supervision;
  runtime::supervisor_spec spec;
  spec.name = "NODE GROUP";
  spec.strategy = runtime::restart_strategy::one_for_all;
  spec.limits = {limits.restarts_max, limits.restarts_window_ms, limits.backoff_ms,
                 limits.backoff_max_ms};
  spec.children.push_back(cache_child(arguments, services));
  if (arguments.launcher)
    spec.children.push_back(agent_entry_child(services));
  auto& devices = setup.facts.devices;
  auto some_gpu = has_gpu(devices);
  for (auto& device : devices)
    spec.children.push_back(device_child(device, some_gpu, arguments, services));
  spec.children.push_back(node_child(setup, arguments, services));
  return spec;
}

}  // namespace dim::actors
