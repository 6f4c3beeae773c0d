#include "tests/simulation/basp_parts.hpp"

#include <set>
#include <utility>

#include <caf/io/all.hpp>

#include "actors/node/node_tree.hpp"
#include "actors/type_ids.hpp"
#include "runtime/link.hpp"

namespace dim::simulation {

namespace {

using runtime::make_child;

runtime::restart_limits limits_of(const config::supervision_options& options) {
  return {options.restarts_max, options.restarts_window_ms, options.backoff_ms,
          options.backoff_max_ms};
}

/// A forward of a whole batch.
constexpr std::int64_t forward_us_min = 20'000;
constexpr std::uint64_t forward_us_spread = 600'000;

/// What the node would have found on its machine.
actors::node_setup setup_of(const config::options& options) {
  constexpr std::uint64_t memory_bytes = 64'000'000'000;
  actors::node_setup setup;
  auto& facts = setup.facts;
  facts.id = facts.name = options.node.name;
  facts.cpu_cores = 8;
  facts.memory_bytes = memory_bytes;
  facts.devices = {{"cpu:0", "cpu", "simulated", 4, memory_bytes, 2},
                   {"cpu:1", "cpu", "simulated", 4, memory_bytes, 2}};
  facts.queue_max = options.node.queue_max;
  for (auto& cabinet : models::list_cabinets(options.node.cabinets_dir).cabinets) {
    facts.cabinets.push_back({cabinet.name(), cabinet.rows(), cabinet.column_names()});
    setup.cabinets.emplace(cabinet.name(), cabinet);
  }
  return setup;
}

}  // namespace

config::options simulated_options(const std::filesystem::path& folder) {
  config::options options;
  options.cluster.name = "simulated";
  options.cluster.data_dir = folder.string();
  options.cluster.orchestrators = {std::string{orchestrator_host} + ":"
                                   + std::to_string(orchestrator_port)};
  options.store.sync = false;
  options.store.check_on_start = false;
  options.store.map_bytes = 64ull << 20;
  options.agent.isolation = "thread";
  options.agent.idle_ms = 20'000;
  options.agent.timeout_ms = 20'000;
  return options;
}

forward_fate device_mood::next() {
  forward_fate fate;
  fate.number = random.next();
  fate.cost_us = static_cast<std::int64_t>(
    slow * static_cast<double>(forward_us_min
                               + static_cast<std::int64_t>(random.below(forward_us_spread))));
  fate.is_wrong = random.unit() < wrong;
  fate.out_of_memory = random.unit() < out_of_memory;
  return fate;
}

runtime::disk_faults simulated_disk::faults_of(const std::shared_ptr<simulated_disk>& disk) {
  using runtime::write_fate;
  return {[disk](runtime::disk_write) {
            if (disk->is_dead)
              return write_fate::lost;
            if (disk->set == trap::before_commit) {
              disk->is_dead = disk->has_crashed = true;
              return write_fate::lost;
            }
            disk->refused += disk->is_full ? 1 : 0;
            return disk->is_full ? write_fate::full : write_fate::proceed;
          },
          [disk](runtime::disk_write what) {
            if (disk->set == trap::after_commit && what != runtime::disk_write::blob)
              disk->is_dead = disk->has_crashed = true;
          }};
}

runtime::expected<void> orchestrator_part::start(basp_process& in) {
  auto opened = tools::open_disk(options, simulated_disk::faults_of(disk_state));
  if (!opened)
    return tl::unexpected(opened.error());
  disk = std::move(*opened);
  runtime::supervisor_spec group;
  group.name = "ORCHESTRATOR";
  group.strategy = runtime::restart_strategy::rest_for_one;
  group.limits = limits_of(options.supervision);
  group.children = tools::orchestrator_children(options, disk, services);
  runtime::supervisor_spec spec;
  spec.name = "ROOT";
  spec.limits = group.limits;
  spec.children.push_back(tools::entry_child(services, options.cluster.name));
  spec.children.push_back(runtime::make_supervisor_child(std::move(group)));
  root = runtime::spawn_supervisor(in.system(), std::move(spec));
  in.drain();
  auto entry = services.entry.get();
  if (!entry)
    return runtime::fail(runtime::error_code::unavailable, "ENTRY did not start");
  in.system().spawn<caf::hidden>([entry](caf::event_based_actor* self) {
    auto refused = [](caf::error&) {};
    auto bound = [](std::uint16_t) {};
    self
      ->request(runtime::middleman_of(self->system()), caf::infinite, caf::publish_atom_v,
                orchestrator_port, caf::actor_cast<caf::strong_actor_ptr>(entry),
                std::set<std::string>{}, std::string{}, false)
      .then(bound, refused);
  });
  in.drain();
  return {};
}

runtime::child_spec link_child(const config::cluster_options& options,
                               const runtime::service<caf::actor>& entry,
                               const runtime::service<caf::actor>& link) {
  runtime::link_options wish;
  wish.addresses = options.orchestrators;
  wish.greeting = {options.name, actors::protocol_number};
  wish.dial_timeout_ms = options.dial_timeout_ms;
  wish.backoff_ms = options.rejoin_backoff_ms;
  wish.backoff_max_ms = options.rejoin_backoff_max_ms;
  return make_child("LINK", link, [wish, entry](caf::local_actor& parent) {
    auto dialer = runtime::middleman_of(parent.home_system());
    return caf::actor_cast<caf::actor>(
      parent.spawn(runtime::link, dialer, wish, entry, caf::actor{}));
  });
}

void node_part::start(basp_process& in) {
  actors::node_tree_arguments values;
  values.options = options;
  values.entry = entry;
  values.make_inference
    = make_simulated_inference([mood = mood](const std::string&) { return mood->next(); });
  values.node = node;
  values.measure = [] { return actors::node_load{}; };
  runtime::supervisor_spec spec;
  spec.name = "ROOT";
  spec.limits = limits_of(options.supervision);
  spec.children.push_back(link_child(options.cluster, entry, link));
  spec.children.push_back(
    runtime::make_supervisor_child(actors::node_tree(setup_of(options), std::move(values))));
  root = runtime::spawn_supervisor(in.system(), std::move(spec));
}

}  // namespace dim::simulation
