#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <caf/all.hpp>

#include "actors/node/interface.hpp"
#include "config/options.hpp"
#include "runtime/disk_faults.hpp"
#include "runtime/errors.hpp"
#include "runtime/link_messages.hpp"
#include "runtime/random_source.hpp"
#include "runtime/supervisor.hpp"
#include "tests/simulation/basp_process.hpp"
#include "tests/simulation/simulated_inference.hpp"
#include "tools/dimd/orchestrator.hpp"

/// What runs in a simulated process: the daemon's supervision trees, with simulated devices.
namespace dim::simulation {

/// The address that everybody dials.
inline constexpr const char* orchestrator_host = "orchestrator";
inline constexpr std::uint16_t orchestrator_port = 7'411;

/// The options that all processes of a simulated cluster share, with everything on disk in
/// `folder`.
config::options simulated_options(const std::filesystem::path& folder);

/// The disk under an orchestrator that may be full, and on which a crash may wait.
struct simulated_disk {
  enum class trap : std::uint8_t { none, before_commit, after_commit };

  bool is_full = false;
  /// The host has crashed: nothing is written any more.
  bool is_dead = false;
  /// Where the next commit kills the host.
  trap set = trap::none;
  /// The trap has closed: the host is to be taken down before anything else happens.
  bool has_crashed = false;
  std::uint64_t refused = 0;

  /// The seam, for a disk that outlives whatever holds the seam.
  static runtime::disk_faults faults_of(const std::shared_ptr<simulated_disk>& disk);
};

/// The orchestrator's process: ENTRY and the whole ORCHESTRATOR group, on a real store.
struct orchestrator_part {
  config::options options;
  std::shared_ptr<simulated_disk> disk_state = std::make_shared<simulated_disk>();
  tools::orchestrator_disk disk;
  tools::orchestrator_services services;
  runtime::supervisor_actor root;

  /// Opens the disk, starts the tree and publishes ENTRY. Errors: those of `open_disk`, and
  /// `unavailable` when the tree does not start.
  runtime::expected<void> start(basp_process& in);
};

/// How the devices of a node behave just now.
struct device_mood {
  explicit device_mood(std::uint64_t seed) : random(seed) {
  }

  /// Decides about the next forward.
  forward_fate next();

  runtime::random_source random;
  double slow = 1.0;
  double wrong = 0.0;
  double out_of_memory = 0.0;
};

/// A node's process: LINK and the daemon's NODE GROUP, in which the forwards alone are simulated.
struct node_part {
  config::options options;
  std::shared_ptr<device_mood> mood;
  runtime::service<caf::actor> entry;
  runtime::service<caf::actor> link;
  runtime::service<actors::node_control_actor> node;
  runtime::supervisor_actor root;

  void start(basp_process& in);
};

/// LINK as a child, as the daemon has it.
runtime::child_spec link_child(const config::cluster_options& options,
                               const runtime::service<caf::actor>& entry,
                               const runtime::service<caf::actor>& link);

}  // namespace dim::simulation
