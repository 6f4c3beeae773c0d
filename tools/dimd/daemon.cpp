#include "tools/dimd/daemon.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <ctime>
#include <thread>

#include <unistd.h>

#include "actors/agent/inference.hpp"
#include "actors/node/node_tree.hpp"
#include "actors/message_types.hpp"
#include "actors/type_ids.hpp"
#include "config/missing_paths.hpp"
#include "gateway/gateway.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/copy_count.hpp"
#include "runtime/directory.hpp"
#include "runtime/folder_lock.hpp"
#include "runtime/handoff_scheduler.hpp"
#include "runtime/launcher.hpp"
#include "runtime/link.hpp"
#include "runtime/log.hpp"
#include "runtime/process_metrics.hpp"
#include "runtime/stuck_watch.hpp"
#include "runtime/system.hpp"
#include "runtime/tls_links.hpp"
#include "tools/dimd/fault_injection.hpp"
#include "tools/dimd/orchestrator.hpp"
#include "tools/dimd/port_file.hpp"

namespace dim::tools {

namespace {

using runtime::log_level;

/// Longest wait for the whole tree at its start: the check of models and cabinets is not in it.
constexpr std::uint32_t start_timeout_ms = 120'000;
/// From the end of draining to the end of the last actor.
constexpr std::uint32_t stop_timeout_ms = 20'000;
/// For a node, past its drain time, to give back what still runs.
constexpr std::uint32_t hand_back_ms = 5'000;
/// For all that has no deadline of its own: connections and files are closed.
constexpr std::uint32_t clean_up_ms = 5'000;

bool has_role(const config::options& options, const char* role) {
  return config::has_role(options, role);
}

runtime::restart_limits limits_of(const config::supervision_options& options) {
  return {options.restarts_max, options.restarts_window_ms, options.backoff_ms,
          options.backoff_max_ms};
}

/// "orchestrator+gateway": the name of this process among those of its cluster.
std::string roles_of(const config::options& options) {
  std::string result;
  for (auto& role : options.cluster.roles)
    result += (result.empty() ? "" : "+") + role;
  return result;
}

/// Reads the certificates that the options name, before anything is started that relies on them.
runtime::expected<void> prepare_tls(const config::options& options,
                                    runtime::system_config& config) {
  if (!runtime::is_wanted(options.tls))
    return {};
  auto context = runtime::tls_context::load(options.tls, std::time(nullptr));
  if (!context)
    return tl::unexpected(context.error());
  for (const auto& warning : (*context)->warnings())
    runtime::log(log_level::warn, "TLS", "has a certificate that ends soon", {{"reason", warning}});
  runtime::log(log_level::info, "TLS", "shows its certificate",
               {{"subject", (*context)->subject()}});
  runtime::tls_link_limits limits;
  limits.dial_timeout_ms = options.cluster.dial_timeout_ms;
  limits.handshake_timeout_ms = options.tls.handshake_timeout_ms;
  limits.handshakes_max = options.tls.handshakes_max;
  limits.lost_ms = options.cluster.lost_ms;
  runtime::enable_tls(config, std::move(*context), limits);
  return {};
}

/// The failure to listen on the port that `option` names.
tl::unexpected<runtime::failure> fail_to_listen(const char* option, runtime::failure why) {
  why.message = std::string{option} + ": " + why.message;
  return tl::unexpected(std::move(why));
}

/// What actors and `main` tell each other at the end.
struct process_fate {
  std::atomic<bool> is_stopping{false};
  /// Something ended that should not have: the exit status says so.
  std::atomic<bool> is_broken{false};
};

/// Ends the process when an actor ends that can not be replaced while it runs.
template <class Handle>
void end_process_with(const Handle& actor, const char* name,
                      const std::shared_ptr<process_fate>& fate) {
  actor->attach_functor([name, fate](const caf::error& reason) {
    if (fate->is_stopping)
      return;
    fate->is_broken = true;
    runtime::log(log_level::error, name, "ended; the process ends",
                 {{"reason", runtime::to_failure(reason).message}});
    ::kill(::getpid(), SIGTERM);
  });
}

}  // namespace

/// What lives between start and stop; destroyed in reverse order.
struct daemon::parts {
  runtime::folder_lock lock;
  orchestrator_disk disk;
  runtime::system_config config;
  std::shared_ptr<runtime::launcher> launcher;
  std::unique_ptr<caf::actor_system> system;
  /// Shows this process among the metrics.
  std::shared_ptr<void> shown;
  /// Tells the log of actors that hang.
  std::unique_ptr<runtime::stuck_watch> watch;
  orchestrator_services services;
  /// The orchestrator's ENTRY, in this process or behind a LINK.
  runtime::service<caf::actor> entry;
  runtime::service<caf::actor> link;
  runtime::service<actors::node_control_actor> node;
  std::shared_ptr<actors::fault_board> board;
  runtime::supervisor_actor root;
  std::unique_ptr<gateway::gateway> gateway;
  std::shared_ptr<process_fate> fate = std::make_shared<process_fate>();
};

daemon::daemon(config::options options, runtime::disk_faults disk)
  : options_(std::move(options)), simulated_disk_(std::move(disk)) {
}

daemon::~daemon() {
  stop();
}

runtime::expected<void> daemon::start() {
  parts_ = std::make_unique<parts>();
  auto& p = *parts_;
  if (auto ready = prepare_tls(options_, p.config); !ready)
    return ready;
  auto lock = runtime::folder_lock::take(options_.cluster.data_dir);
  if (!lock)
    return tl::unexpected(lock.error());
  p.lock = std::move(*lock);
  for (auto& missing : config::missing_paths(options_))
    runtime::log(log_level::warn, "DIMD", "has an option that names nothing",
                 {{"reason", missing}});
  p.board = make_fault_board(options_);
  if (has_role(options_, "orchestrator")) {
    auto disk = open_disk(options_, simulated_disk_.before ? simulated_disk_
                                                           : make_disk_faults(options_, p.board));
    if (!disk)
      return tl::unexpected(disk.error());
    p.disk = std::move(*disk);
    p.entry = p.services.entry;
  }
  actors::add_message_types(p.config);
  p.config.enable_links(options_.cluster.heartbeat_ms, options_.cluster.lost_ms);
  p.config.context->spin_limit = std::chrono::microseconds{options_.cluster.spin_us};
  p.config.context->stuck_limit = std::chrono::milliseconds{options_.supervision.stuck_ms};
  runtime::enable_handoff(p.config);
  // CAF's own default is at least four.
  auto workers = options_.cluster.worker_threads > 0
                   ? options_.cluster.worker_threads
                   : std::max(1u, std::thread::hardware_concurrency());
  p.config.set("scheduler.max-threads", workers);
  p.system = std::make_unique<caf::actor_system>(p.config);
  runtime::enable_link_lane(*p.system);
  p.shown = runtime::show_process(roles_of(options_), *p.system);
  p.watch = std::make_unique<runtime::stuck_watch>(*p.system);
  if (auto tree = start_tree(); !tree)
    return tree;
  if (auto published = publish(); !published)
    return published;
  if (auto served = start_gateway(); !served)
    return served;
  return write_port_file(options_.cluster.port_file, {cluster_port_, gateway_port_});
}

runtime::expected<void> daemon::start_tree() {
  auto& p = *parts_;
  runtime::supervisor_spec root;
  root.name = "ROOT";
  root.limits = limits_of(options_.supervision);
  root.children.push_back(runtime::make_child(
    "DIRECTORY", p.services.directory, [](caf::local_actor& parent) -> runtime::directory_actor {
      return parent.spawn(runtime::directory);
    }));
  for (auto& child : fault_children(options_, p.board, p.entry, p.services.faults))
    root.children.push_back(std::move(child));
  if (has_role(options_, "orchestrator")) {
    root.children.push_back(entry_child(p.services, options_.cluster.name));
    runtime::supervisor_spec orchestrator;
    orchestrator.name = "ORCHESTRATOR";
    orchestrator.strategy = runtime::restart_strategy::rest_for_one;
    orchestrator.limits = limits_of(options_.supervision);
    orchestrator.children = orchestrator_children(options_, p.disk, p.services);
    root.children.push_back(runtime::make_supervisor_child(std::move(orchestrator)));
  } else {
    root.children.push_back(link_child());
  }
  if (has_role(options_, "node")) {
    auto cuda = actors::discover_devices(options_.agent);
    if (!cuda)
      return tl::unexpected(cuda.error());
    auto setup = actors::prepare_node(options_, *cuda);
    if (!setup)
      return tl::unexpected(setup.error());
    for (auto& problem : setup->problems)
      runtime::log(log_level::warn, "NODE", "does not offer a cabinet", {{"reason", problem}});
    p.launcher = std::make_shared<runtime::launcher>();
    auto node = actors::node_tree(
      *setup, {options_, p.entry, p.launcher, actors::make_inference_factory(),
               p.node, {}, make_forward_faults(options_, p.board)});
    root.children.push_back(runtime::make_supervisor_child(std::move(node)));
  }
  if (has_role(options_, "gateway")) {
    p.gateway = std::make_unique<gateway::gateway>(
      gateway::bridge_targets{p.entry, p.services.router}, options_);
    root.children.push_back(p.gateway->child());
  }
  auto started = runtime::start_supervisor(*p.system, std::move(root), start_timeout_ms);
  if (!started)
    return tl::unexpected(started.error());
  p.root = *started;
  end_process_with(p.root, "ROOT", p.fate);
  // Other processes know the published ENTRY alone: a new one would stand behind no port.
  if (has_role(options_, "orchestrator"))
    end_process_with(p.entry.get(), "ENTRY", p.fate);
  return {};
}

runtime::child_spec daemon::link_child() {
  auto& p = *parts_;
  runtime::link_options options;
  options.addresses = options_.cluster.orchestrators;
  options.greeting = {options_.cluster.name, actors::protocol_number};
  options.dial_timeout_ms = options_.cluster.dial_timeout_ms;
  options.backoff_ms = options_.cluster.rejoin_backoff_ms;
  options.backoff_max_ms = options_.cluster.rejoin_backoff_max_ms;
  return runtime::make_child("LINK", p.link, [options, entry = p.entry](caf::local_actor& parent) {
    auto dialer = runtime::dialer_of(parent.home_system());
    auto link = parent.spawn(runtime::link, dialer, options, entry, caf::actor{});
    return caf::actor_cast<caf::actor>(link);
  });
}

runtime::expected<void> daemon::publish() {
  auto& p = *parts_;
  if (!has_role(options_, "orchestrator"))
    return {};
  auto port =
    runtime::publish_entry(*p.system, p.entry.get(), options_.cluster.bind, options_.cluster.port);
  if (!port)
    return fail_to_listen("cluster.port", port.error());
  cluster_port_ = *port;
  return {};
}

runtime::expected<void> daemon::start_gateway() {
  auto& p = *parts_;
  if (!has_role(options_, "gateway"))
    return {};
  auto port = p.gateway->start(p.system.get());
  if (!port)
    return fail_to_listen("gateway.port", port.error());
  gateway_port_ = *port;
  return {};
}

void daemon::announce(std::ostream& out) const {
  out << "dimd is ready";
  if (gateway_port_ != 0)
    out << ", http://" << options_.gateway.bind << ":" << gateway_port_;
  if (cluster_port_ != 0)
    out << ", cluster " << options_.cluster.bind << ":" << cluster_port_;
  out << ", pid " << ::getpid() << std::endl;
}

caf::actor_system& daemon::system() {
  return *parts_->system;
}

bool daemon::drain_node_role() {
  auto node = parts_->node.get();
  if (!node)
    return true;
  caf::scoped_actor self{*parts_->system};
  auto is_idle = false;
  auto patience = std::chrono::milliseconds{options_.cluster.drain_ms + hand_back_ms};
  self->request(node, patience, actors::drain_node{options_.cluster.drain_ms})
    .receive([&](const actors::node_drained& result) { is_idle = result.left == 0; },
             [](const caf::error&) {});
  return is_idle;
}

namespace {

/// What a test of the data path reads, and what explains a node's memory traffic.
void log_copies() {
  auto copied = runtime::copied_bytes();
  auto of = [&](runtime::copy_place place) {
    return static_cast<std::int64_t>(copied[static_cast<std::size_t>(place)]);
  };
  using runtime::copy_place;
  runtime::log(log_level::info, "DIMD", "copied payloads of 64 KiB and more",
               {{"encode", of(copy_place::encode)},
                {"decode", of(copy_place::decode)},
                {"store_write", of(copy_place::store_write)},
                {"store_read", of(copy_place::store_read)},
                {"gather", of(copy_place::gather)},
                {"batch", of(copy_place::batch)},
                {"model_output", of(copy_place::model_output)}});
}

}  // namespace

std::chrono::milliseconds daemon::stop_patience() const {
  std::chrono::milliseconds drain{options_.cluster.drain_ms};
  return 2 * drain + std::chrono::milliseconds{hand_back_ms + stop_timeout_ms + clean_up_ms};
}

bool daemon::stop() {
  if (!parts_)
    return true;
  auto& p = *parts_;
  p.fate->is_stopping = true;
  auto in_order = !p.fate->is_broken;
  if (p.gateway)
    in_order = p.gateway->drain(std::chrono::steady_clock::now()
                                + std::chrono::milliseconds{options_.cluster.drain_ms})
               && in_order;
  if (p.system)
    in_order = drain_node_role() && in_order;
  if (p.gateway)
    p.gateway->stop();
  if (p.root) {
    auto stopped = runtime::stop_supervisor(*p.system, p.root, stop_timeout_ms);
    in_order = stopped.has_value() && in_order;
  }
  p.root = nullptr;
  remove_port_file(options_.cluster.port_file, {cluster_port_, gateway_port_});
  parts_.reset();
  log_copies();
  runtime::log(log_level::info, "DIMD", "stopped", {{"in_order", in_order ? "yes" : "no"}});
  runtime::close_log();
  return in_order;
}

}  // namespace dim::tools
