#include "tests/simulation/cluster.hpp"

#include <cstdio>
#include <utility>

#include "actors/type_ids.hpp"
#include "runtime/link.hpp"
#include "tests/simulation/sample_models.hpp"

namespace dim::simulation {

namespace {

struct main_state {
  static inline const char* name = "MAIN";
  runtime::supervisor_actor root;
};

using main_pointer = runtime::actor_self<caf::actor, main_state>;

/// Stands for the `main` of a process: it starts the tree, and its process ends with it.
caf::behavior main_process(main_pointer self, runtime::supervisor_spec root,
                           std::function<void()> ready, std::function<void()> ended) {
  self->state.root = runtime::spawn_supervisor(*self, std::move(root));
  self->monitor(self->state.root);
  self->set_down_handler([ended](caf::down_msg&) { ended(); });
  self->request(self->state.root, caf::infinite, runtime::await_tree{})
    .then([ready](const runtime::tree_status&) { ready(); }, [](const caf::error&) {});
  return {[](caf::unit_t) {}};
}

config::options options_of_node(const config::options& base, const std::filesystem::path& folder,
                                std::uint32_t index) {
  auto options = base;
  options.cluster.data_dir = (folder / ("node-" + std::to_string(index + 1))).string();
  options.node.id = cluster::node_id_of(index);
  options.node.name = "n" + std::to_string(index + 1);
  options.node.cabinets_dir = options.cluster.data_dir + "/cabinets";
  options.agent.isolation = "thread";
  return options;
}

/// What the node would have found on its machine.
actors::node_setup setup_of(const config::options& options, std::uint32_t index) {
  constexpr std::uint64_t memory_bytes = 64'000'000'000;
  actors::node_setup setup;
  auto& facts = setup.facts;
  facts.id = options.node.id;
  facts.name = options.node.name;
  facts.owner = "owner-" + std::to_string(index % 7);
  facts.cpu_cores = 16;
  facts.memory_bytes = memory_bytes;
  facts.devices = {{"cpu:0", "cpu", "simulated", 8, memory_bytes, 4}};
  facts.queue_max = options.node.queue_max;
  for (auto& cabinet : models::list_cabinets(options.node.cabinets_dir).cabinets) {
    facts.cabinets.push_back({cabinet.name(), cabinet.rows(), cabinet.column_names()});
    setup.cabinets.emplace(cabinet.name(), cabinet);
  }
  return setup;
}

}  // namespace

std::string cluster::node_id_of(std::uint32_t index) {
  char text[40];
  std::snprintf(text, sizeof(text), "00000000-0000-7000-8000-%012u", index + 1);
  return text;
}

cluster::cluster(simulator& sim, network& net, cluster_settings settings, world_hooks* hooks)
  : sim_(sim), net_(net), settings_(std::move(settings)), hooks_(hooks) {
  net_.add_host("orchestrator");
  for (std::uint32_t index = 0; index < settings_.nodes; ++index)
    net_.add_host("node/n" + std::to_string(index + 1));
  net_.add_host("gateway/client");
  mains_.resize(net_.hosts());
  lives_.resize(net_.hosts(), 0);
  auto& options = settings_.options;
  options.cluster.data_dir = (settings_.folder / "orchestrator").string();
  write_sample_models(settings_.folder / "orchestrator" / "models");
  for (std::uint32_t index = 0; index < settings_.nodes; ++index) {
    node one;
    one.options = options_of_node(options, settings_.folder, index);
    if (index % 3 == 0)
      write_sample_cabinet(one.options.node.cabinets_dir, index);
    one.setup = setup_of(one.options, index);
    nodes_.push_back(std::move(one));
  }
}

cluster::~cluster() {
  on_end = nullptr;
  for (host_id host = 0; host < static_cast<host_id>(net_.hosts()); ++host)
    crash(host, true);
}

runtime::restart_limits cluster::limits() const {
  auto& from = settings_.options.supervision;
  return {from.restarts_max, from.restarts_window_ms, from.backoff_ms, from.backoff_max_ms};
}

void cluster::start_all() {
  for (host_id host = 0; host < static_cast<host_id>(net_.hosts()); ++host)
    start(host);
}

bool cluster::start(host_id host) {
  if (net_.is_up(host))
    return true;
  if (host == orchestrator_host)
    return start_orchestrator();
  net_.start_host(host);
  if (host == client_host())
    start_client();
  else
    start_node(static_cast<std::uint32_t>(host - 1));
  return true;
}

bool cluster::start_orchestrator() {
  auto disk = tools::open_disk(settings_.options, settings_.disk);
  if (!disk)
    return false;
  net_.start_host(orchestrator_host);
  disk_ = std::move(*disk);
  services_ = {};
  runtime::supervisor_spec root;
  root.name = "ROOT";
  root.limits = limits();
  root.children.push_back(tools::entry_child(services_, settings_.options.cluster.name));
  runtime::supervisor_spec orchestrator;
  orchestrator.name = "ORCHESTRATOR";
  orchestrator.strategy = runtime::restart_strategy::rest_for_one;
  orchestrator.limits = limits();
  orchestrator.children = tools::orchestrator_children(settings_.options, disk_, services_);
  if (hooks_ != nullptr)
    hooks_->on_orchestrator(services_, orchestrator.children);
  root.children.push_back(runtime::make_supervisor_child(std::move(orchestrator)));
  auto life = lives_[orchestrator_host] + 1;
  run_tree(orchestrator_host, std::move(root), [this, life] {
    auto entry = services_.entry.get();
    if (!entry)
      return;
    serving_ = true;
    net_.listen(orchestrator_host, entry);
    // A new ENTRY would stand behind no port: the process ends with the published one.
    entry->attach_functor([this, life] { end(orchestrator_host, life); });
  });
  return true;
}

void cluster::start_node(std::uint32_t index) {
  auto& one = nodes_[index];
  auto host = node_host(index);
  one.entry = {};
  one.control = {};
  runtime::supervisor_spec root;
  root.name = "ROOT";
  root.limits = limits();
  root.children.push_back(link_child(host, one.options, one.entry));
  auto plan = [this, index](const std::string& model) {
    return settings_.forwards ? settings_.forwards(index, model) : forward_fate{1'000};
  };
  auto tree = actors::node_tree(one.setup, {one.options, one.entry, nullptr,
                                            make_simulated_inference(plan), one.control,
                                            [] { return actors::node_load{}; }});
  if (hooks_ != nullptr)
    hooks_->on_node(one.options.node.name, tree.children);
  root.children.push_back(runtime::make_supervisor_child(std::move(tree)));
  run_tree(host, std::move(root), [] {});
}

void cluster::start_client() {
  client_entry_.clear();
  runtime::supervisor_spec root;
  root.name = "ROOT";
  root.limits = limits();
  root.children.push_back(link_child(client_host(), settings_.options, client_entry_));
  run_tree(client_host(), std::move(root), [] {});
}

runtime::child_spec cluster::link_child(host_id host, const config::options& options,
                                        const runtime::service<caf::actor>& entry) {
  runtime::link_options wish;
  wish.addresses = {"orchestrator:" + std::to_string(orchestrator_host + 1)};
  wish.greeting = {options.cluster.name, actors::protocol_number};
  wish.dial_timeout_ms = options.cluster.dial_timeout_ms;
  wish.backoff_ms = options.cluster.rejoin_backoff_ms;
  wish.backoff_max_ms = options.cluster.rejoin_backoff_max_ms;
  auto dialer = net_.spawn_dialer(host);
  return runtime::make_child(
    "LINK", runtime::service<caf::actor>{},
    [wish, entry, dialer](caf::local_actor& parent) -> caf::actor {
      auto link = parent.spawn(runtime::link, dialer, wish, entry, caf::actor{});
      return caf::actor_cast<caf::actor>(link);
    });
}

void cluster::run_tree(host_id host, runtime::supervisor_spec root, std::function<void()> ready) {
  auto& life = ++lives_[static_cast<std::size_t>(host)];
  sim_.as(host, [&] {
    mains_[static_cast<std::size_t>(host)] = sim_.system().spawn(
      main_process, std::move(root), std::move(ready),
      std::function<void()>{[this, host, life = life] { end(host, life); }});
  });
}

void cluster::end(host_id host, std::uint32_t life) {
  sim_.after_step([this, host, life] {
    if (lives_[static_cast<std::size_t>(host)] != life || !net_.is_up(host))
      return;
    crash(host, false);
    if (on_end)
      on_end(host);
  });
}

void cluster::crash(host_id host, bool silently) {
  if (!net_.is_up(host))
    return;
  net_.stop_host(host, silently);
  ++lives_[static_cast<std::size_t>(host)];
  sim_.end_host(host);
  mains_[static_cast<std::size_t>(host)] = nullptr;
  if (host == orchestrator_host) {
    serving_ = false;
    services_ = {};
    disk_ = {};
  }
}

bool cluster::crash_actor(host_id host, const std::string& name) {
  std::vector<caf::actor> named;
  for (auto& one : sim_.actors_of(host)) {
    auto vitals = sim_.context().actors.vitals(one.id());
    if (vitals && vitals->name == name)
      named.push_back(one);
  }
  if (named.empty())
    return false;
  auto& victim = named[sim_.random.below(named.size())];
  sim_.end_actor(victim, caf::make_error(caf::exit_reason::unhandled_exception));
  return true;
}

}  // namespace dim::simulation
