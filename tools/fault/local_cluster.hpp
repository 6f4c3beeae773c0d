#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/launcher.hpp"
#include "tools/dim/outcome.hpp"

namespace dim::tools {

struct local_cluster_options {
  std::uint32_t nodes = 3;
  /// "section.key=value" each, for every daemon.
  std::vector<std::string> settings;
  /// Made by `sample-models`; empty: they are made in the cluster's own folder.
  std::string samples;
  bool has_faults = true;
};

/// A cluster of real daemons on this machine, on free loopback ports and in a temporary folder, for
/// a run of a plan: "orchestrator" (with the gateway) and "node/node-1", "node/node-2", ... A
/// daemon that ends is started again. Everything ends and is removed with the object.
class local_cluster {
public:
  /// Starts all, pushes the sample models, and waits until every node is a member. Errors: failed,
  /// with the end of what the daemons said.
  static outcome<std::unique_ptr<local_cluster>> start(local_cluster_options options);
  ~local_cluster();

  std::string url() const;
  std::filesystem::path folder() const {
    return folder_;
  }

  /// The process with this name will end soon, and is to be started again so long after that.
  void expect_end(const std::string& name, std::int64_t after_ms);
  /// Starts those whose time has come. To be called again and again, from one thread.
  void keep_running();
  /// The folder stays, for a look at it.
  void keep_folder() {
    is_kept_ = true;
  }

private:
  struct daemon;

  explicit local_cluster(local_cluster_options options);
  outcome<void> start_all();
  outcome<void> prepare_samples();
  void launch(daemon& which);
  std::vector<std::string> arguments_of(const daemon& which) const;
  outcome<void> await_ports();
  outcome<void> push_models();
  outcome<void> await_nodes();
  command_failure failure(const std::string& what) const;

  local_cluster_options options_;
  std::filesystem::path programs_;
  std::filesystem::path folder_;
  bool is_kept_ = false;
  std::uint16_t gateway_port_ = 0;
  std::uint16_t cluster_port_ = 0;
  /// Callbacks of the launcher's thread and calls of others meet here.
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<daemon>> daemons_;
  std::unique_ptr<runtime::launcher> launcher_;
};

}  // namespace dim::tools
