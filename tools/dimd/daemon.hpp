#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <ostream>

#include <caf/fwd.hpp>

#include "config/options.hpp"
#include "runtime/disk_faults.hpp"
#include "runtime/errors.hpp"
#include "runtime/supervisor.hpp"

namespace dim::tools {

/// One running `dimd`: its actor system, its supervision tree, and the ports it listens on.
///
///   made --start--> running --stop--> stopped
///
/// `stop` drains: the gateway takes no more requests, the node ends its work, then the tree is
/// stopped in reverse order. Not thread-safe: for `main`.
class daemon {
public:
  /// `disk`: a simulated disk below the store, for tests; empty: the one that users may disturb.
  explicit daemon(config::options options, runtime::disk_faults disk = {});
  ~daemon();

  /// Starts the roles that the options name and writes `cluster.port_file`, which `stop` removes.
  /// Errors: what kept a role from starting; `stop` cleans up after it.
  runtime::expected<void> start();

  /// Tells a person where this daemon listens.
  void announce(std::ostream& out) const;

  /// The actors of this daemon, between `start` and `stop`.
  caf::actor_system& system();

  /// No `stop` in order takes longer.
  std::chrono::milliseconds stop_patience() const;

  /// False when something had to be cut off because the time for draining was over. Called again,
  /// it does nothing.
  bool stop();

private:
  struct parts;

  runtime::expected<void> start_tree();
  /// Keeps a connection to the orchestrator, for processes that are none.
  runtime::child_spec link_child();
  runtime::expected<void> publish();
  runtime::expected<void> start_gateway();
  /// Lets the node's work end; false when it did not in time. True without a node.
  bool drain_node_role();

  config::options options_;
  runtime::disk_faults simulated_disk_;
  std::unique_ptr<parts> parts_;
  std::uint16_t cluster_port_ = 0;
  std::uint16_t gateway_port_ = 0;
};

}  // namespace dim::tools
