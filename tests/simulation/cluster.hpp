#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/node/node_tree.hpp"
#include "config/options.hpp"
#include "tests/simulation/hooks.hpp"
#include "tests/simulation/network.hpp"
#include "tests/simulation/simulated_inference.hpp"
#include "tests/simulation/simulator.hpp"
#include "tools/dimd/orchestrator.hpp"

namespace dim::simulation {

/// What a simulated cluster is made of.
struct cluster_settings {
  std::uint32_t nodes = 3;
  /// All data folders lie below it.
  std::filesystem::path folder;
  /// Of every process; folders, names and the like are filled in.
  config::options options;
  /// How the forwards of node `index` (from 0) go.
  std::function<forward_fate(std::uint32_t index, const std::string& model)> forwards;
  /// The orchestrator's disk.
  runtime::disk_faults disk;
};

/// The processes of a cluster, each on a host of its own: host 0 is the orchestrator, hosts 1 to n
/// are nodes, the last one is the clients'. Each runs the tree that the daemon would run, but for
/// the real network, agent processes and the gateway.
class cluster {
public:
  cluster(simulator& sim, network& net, cluster_settings settings, world_hooks* hooks);
  ~cluster();
  cluster(const cluster&) = delete;
  cluster& operator=(const cluster&) = delete;

  static constexpr host_id orchestrator_host = 0;
  host_id node_host(std::uint32_t index) const noexcept {
    return static_cast<host_id>(index) + 1;
  }
  host_id client_host() const noexcept {
    return static_cast<host_id>(settings_.nodes) + 1;
  }
  std::uint32_t nodes() const noexcept {
    return settings_.nodes;
  }
  /// The id that node `index` joins with.
  static std::string node_id_of(std::uint32_t index);

  /// Starts the process of a host that is down. False when it can not start: its disk is full.
  bool start(host_id host);
  void start_all();

  /// Ends a process as `kill -9` does, or as a power failure when `silently`.
  void crash(host_id host, bool silently);

  /// Ends one living actor of this name, at random where there are several, as an exception in it
  /// would. False when there is none.
  bool crash_actor(host_id host, const std::string& name);

  /// The orchestrator answers those that dial it.
  bool is_serving() const noexcept {
    return serving_;
  }
  /// Of the orchestrator while it is up; else empty.
  const tools::orchestrator_disk& disk() const noexcept {
    return disk_;
  }
  const tools::orchestrator_services& services() const noexcept {
    return services_;
  }
  /// ENTRY as the clients' host sees it.
  const runtime::service<caf::actor>& client_entry() const noexcept {
    return client_entry_;
  }
  const config::options& options() const noexcept {
    return settings_.options;
  }

  /// A process has ended by itself: its tree gave up, or its ENTRY crashed.
  std::function<void(host_id)> on_end;

private:
  struct node {
    runtime::service<caf::actor> entry;
    runtime::service<actors::node_control_actor> control;
    config::options options;
    actors::node_setup setup;
  };

  bool start_orchestrator();
  void start_node(std::uint32_t index);
  void start_client();
  void run_tree(host_id host, runtime::supervisor_spec root, std::function<void()> ready);
  void end(host_id host, std::uint32_t life);
  runtime::child_spec link_child(host_id host, const config::options& options,
                                 const runtime::service<caf::actor>& entry);
  runtime::restart_limits limits() const;

  simulator& sim_;
  network& net_;
  cluster_settings settings_;
  world_hooks* hooks_;
  tools::orchestrator_disk disk_;
  tools::orchestrator_services services_;
  runtime::service<caf::actor> client_entry_;
  std::vector<node> nodes_;
  std::vector<caf::actor> mains_;
  std::vector<std::uint32_t> lives_;
  bool serving_ = false;
};

}  // namespace dim::simulation
