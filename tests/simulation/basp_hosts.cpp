// The machines of a simulated cluster, and the processes that run on them.
#include <caf/io/all.hpp>

#include "actors/type_ids.hpp"
#include "tests/simulation/basp_world.hpp"
#include "tests/simulation/sample_models.hpp"

namespace dim::simulation {

namespace {

constexpr std::int64_t wall_base_ms = 1'700'000'000'000;

/// Machines differ by up to this much.
constexpr std::uint64_t skew_ms_max = 600'000;

}  // namespace

void basp_world::add_hosts() {
  const auto add = [this](role kind, const std::string& name) {
    auto& added = *hosts_.emplace_back(std::make_unique<host>());
    added.kind = kind;
    added.name = name;
    added.number = static_cast<std::uint32_t>(hosts_.size());
    added.folder = folder_ / std::to_string(added.number);
    added.wall_base_ms = wall_base_ms + static_cast<std::int64_t>(random_.below(skew_ms_max));
    added.mood = std::make_shared<device_mood>(plan_.seed * 31 + added.number);
    std::filesystem::create_directories(added.folder);
  };
  add(role::orchestrator, "orchestrator");
  add(role::gateway, "gateway/g1");
  for (std::uint32_t number = 1; number <= plan_.nodes; ++number)
    add(role::node, "node/n" + std::to_string(number));
}

void basp_world::start(host& what) {
  if (what.is_up())
    return;
  ++what.starts;
  what.is_frozen = false;
  note("start " + what.name);
  process_settings settings;
  settings.name = what.name;
  settings.seed = (plan_.seed * 1'000 + what.number) * 1'000'003 + what.starts;
  settings.wall_base_ms = what.wall_base_ms;
  settings.now = now_;
  what.process = std::make_unique<basp_process>(settings);
  switch (what.kind) {
    case role::orchestrator:
      start_orchestrator(what);
      break;
    case role::gateway:
      start_gateway(what);
      break;
    case role::node:
      start_node(what);
      break;
  }
  if (what.is_up())
    network_.collect(*what.process, now_);
}

void basp_world::start_orchestrator(host& what) {
  what.orchestrator = std::make_unique<orchestrator_part>();
  auto& part = *what.orchestrator;
  part.options = simulated_options(what.folder);
  if (what.starts == 1)
    write_sample_models(what.folder / "models");
  network_.listen(*what.process, orchestrator_host, orchestrator_port);
  if (auto started = part.start(*what.process); !started) {
    note("the orchestrator does not start: " + started.error().message);
    crash(what, true);
    after_ms(1'000, [this, &what] { start(what); });
  }
}

void basp_world::start_gateway(host& what) {
  auto& in = *what.process;
  auto options = simulated_options(what.folder);
  what.entry = {};
  what.link = {};
  runtime::supervisor_spec spec;
  spec.name = "ROOT";
  spec.children.push_back(link_child(options.cluster, what.entry, what.link));
  what.root = runtime::spawn_supervisor(in.system(), std::move(spec));
}

void basp_world::start_node(host& what) {
  what.node = std::make_unique<node_part>();
  auto& part = *what.node;
  part.options = simulated_options(what.folder);
  part.options.node.name = part.options.node.id = what.name.substr(what.name.find('/') + 1);
  part.options.node.cabinets_dir = (what.folder / "cabinets").string();
  part.mood = what.mood;
  if (what.starts == 1)
    write_sample_cabinet(part.options.node.cabinets_dir, what.number);
  part.start(*what.process);
}

void basp_world::crash(host& what, bool tells) {
  if (!what.is_up())
    return;
  note("crash " + what.name + (tells ? "" : ", silently"));
  if (what.orchestrator) {
    what.orchestrator->disk_state->is_dead = true;
    what.orchestrator->disk_state->has_crashed = false;
    result_.seen.paths["write_refused"] += what.orchestrator->disk_state->refused;
  }
  network_.remove(*what.process, tells, now_);
  what.root = nullptr;
  if (what.orchestrator)
    what.orchestrator->root = nullptr;
  if (what.node)
    what.node->root = nullptr;
  what.process.reset();
  what.orchestrator.reset();
  what.node.reset();
  what.is_frozen = false;
}

void basp_world::freeze(host& what, std::int64_t lasts_ms) {
  if (!what.is_awake())
    return;
  note("freeze " + what.name);
  what.is_frozen = true;
  const auto starts = what.starts;
  after_ms(lasts_ms, [this, &what, starts] {
    if (what.starts != starts || !what.is_up())
      return;
    note("thaw " + what.name);
    what.is_frozen = false;
    what.process->advance_to(now_);
  });
}

}  // namespace dim::simulation
