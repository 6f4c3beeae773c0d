// What a node finds out about itself before its actors start.
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "actors/node/node_tree.hpp"
#include "models/disk_file.hpp"
#include "runtime/child_run.hpp"
#include "runtime/ids.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

// Requests that may be on a device at once: one batch runs, others gather behind it.
constexpr std::uint32_t slots_of_device = 4;

constexpr std::uint64_t text_bytes_max = 1 << 20;

std::int64_t wall_clock_ms() {
  auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

/// The id in `<data_dir>/node_id`, made and flushed to the disk when there is none.
runtime::expected<std::string> read_or_make_id(const std::filesystem::path& data_dir) {
  std::error_code problem;
  std::filesystem::create_directories(data_dir, problem);
  if (problem)
    return runtime::fail(error_code::internal,
                         "can not make " + data_dir.string() + ": " + problem.message());
  auto path = data_dir / "node_id";
  auto known = models::read_text(path, text_bytes_max);
  if (known) {
    while (!known->empty() && known->back() == '\n')
      known->pop_back();
    if (runtime::is_uuid(*known))
      return *known;
    return runtime::fail(error_code::internal, path.string() + " does not hold a UUID");
  }
  if (known.error().code != error_code::not_found)
    return tl::unexpected(known.error());
  auto id = runtime::id_source{runtime::seed_from_system()}.next(wall_clock_ms());
  if (auto written = models::write_atomically(path, id + "\n"); !written)
    return tl::unexpected(written.error());
  return id;
}

std::vector<device_facts> facts_of(const std::vector<models::device_info>& devices,
                                   std::uint64_t memory_bytes) {
  auto is_cpu = [](const models::device_info& each) {
    return each.name.kind == models::device_kind::cpu;
  };
  auto core_sets =
    std::max<std::int64_t>(1, std::count_if(devices.begin(), devices.end(), is_cpu));
  std::vector<device_facts> result;
  for (auto& each : devices) {
    device_facts facts;
    facts.name = models::to_string(each.name);
    facts.kind = models::to_string(each.name.kind);
    facts.model = each.model;
    facts.cores = each.cores;
    // Core sets share the machine's memory: each may use its part of what is offered.
    facts.memory_bytes = is_cpu(each) ? memory_bytes / static_cast<std::uint64_t>(core_sets)
                                      : each.memory_bytes;
    facts.slots = slots_of_device;
    result.push_back(std::move(facts));
  }
  return result;
}

void add_cabinets(node_setup& setup, const std::filesystem::path& folder) {
  auto listing = models::list_cabinets(folder);
  for (auto& cabinet : listing.cabinets) {
    setup.facts.cabinets.push_back({cabinet.name(), cabinet.rows(), cabinet.column_names()});
    setup.cabinets.emplace(cabinet.name(), cabinet);
  }
  setup.problems = std::move(listing.problems);
}

}  // namespace

runtime::expected<node_setup> prepare_node(const config::options& options,
                                           const std::vector<models::device_info>& cuda) {
  auto& wish = options.node;
  node_setup setup;
  auto& facts = setup.facts;
  facts.id = wish.id;
  if (facts.id.empty()) {
    auto id = read_or_make_id(options.cluster.data_dir);
    if (!id)
      return tl::unexpected(id.error());
    facts.id = std::move(*id);
  }
  auto devices = models::choose_devices(wish.devices, cuda);
  if (!devices)
    return tl::unexpected(devices.error());
  facts.name = wish.name;
  facts.owner = wish.owner;
  facts.region = wish.region;
  facts.cpu_cores = wish.cpu_cores > 0
                      ? wish.cpu_cores
                      : static_cast<std::uint32_t>(models::available_cores().size());
  facts.memory_bytes = wish.memory_bytes > 0 ? wish.memory_bytes : models::machine_memory_bytes();
  facts.devices = facts_of(*devices, facts.memory_bytes);
  facts.queue_max = wish.queue_max;
  add_cabinets(setup, wish.cabinets_dir);
  return setup;
}

runtime::expected<std::vector<models::device_info>> discover_devices(
  const config::agent_options& agent) {
  if (!std::filesystem::exists("/dev/nvidiactl"))
    return std::vector<models::device_info>{};
  auto folder = (std::filesystem::temp_directory_path() / "dim-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr)
    return runtime::fail(error_code::internal, "can not make a temporary folder");
  auto output = std::filesystem::path{folder} / "devices";
  runtime::child_run run;
  run.program = agent.program;
  run.arguments = {"--describe-devices", "--output", output.string()};
  run.time_max = std::chrono::milliseconds{agent.start_timeout_ms};
  auto end = runtime::run_to_end(run);
  auto text = models::read_text(output, text_bytes_max);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  if (!end)
    return tl::unexpected(end.error());
  if (!end->succeeded() || !text)
    return runtime::fail(error_code::internal, agent.program +
                                                 " could not list the devices: " +
                                                 end->error_text);
  return models::devices_from_text(*text);
}

}  // namespace dim::actors
