#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/cluster/caller.hpp"
#include "tests/cluster/process.hpp"
#include "tests/cluster/samples.hpp"

namespace dim::tests {

/// What is special about one process of a cluster.
struct process_place {
  /// A program, with its arguments, that runs the daemon as itself: it may enter a namespace.
  std::vector<std::string> prefix;
  /// Given to this daemon alone.
  std::vector<std::string> flags;
  /// Whom it dials, "host:port" each, parted by commas; empty: the orchestrator on loopback.
  std::string orchestrators;
};

/// What a cluster is made of.
struct cluster_shape {
  std::size_t nodes = 1;
  /// The gateway in a process of its own; otherwise the orchestrator has that role as well.
  bool has_own_gateway = false;
  /// Given to every daemon.
  std::vector<std::string> flags;
  /// By the name of the process ("orchestrator", "gateway", "node-1") and the cluster's port; asked
  /// at each start. Without it, nothing is special.
  std::function<process_place(const std::string& name, std::uint16_t port)> place = nullptr;
};

/// One orchestrator, its gateway, and nodes, each a real `dimd` on loopback with a data folder of
/// its own. A process that is started again has its old ports and folder. Everything is removed
/// with the object; the folder with the logs is kept, and named, when a check has failed meanwhile.
class local_cluster {
public:
  explicit local_cluster(const cluster_shape& shape);
  explicit local_cluster(std::size_t nodes, std::vector<std::string> flags = {});
  ~local_cluster();

  /// Starts the process and waits until it listens.
  void start_orchestrator();
  void start_gateway();
  /// These only start the process. A node never needs more.
  void launch_orchestrator();
  void launch_gateway();
  void start_node(std::size_t index);

  process& orchestrator() {
    return orchestrator_;
  }
  /// The process that answers HTTP: the orchestrator, unless the gateway is one of its own.
  process& gateway() {
    return shape_.has_own_gateway ? gateway_ : orchestrator_;
  }
  process& node(std::size_t index) {
    return nodes_.at(index);
  }
  std::size_t nodes() const {
    return nodes_.size();
  }
  bool has_own_gateway() const {
    return shape_.has_own_gateway;
  }
  /// The agent processes of a node, the oldest first.
  std::vector<child_process> agents_of(std::size_t index) const;
  /// As the cluster knows the node: found by its name; empty while it does not.
  std::string node_id(std::size_t index) const;
  /// The node's entry in the list of nodes; null while it has none.
  nlohmann::json node_entry(std::size_t index) const;

  std::filesystem::path folder() const {
    return folder_;
  }
  std::uint16_t port() const {
    return port_;
  }

  /// Puts the sample models of the build into the catalogue, over HTTP.
  void push_samples(const std::vector<std::string>& names);

  /// Puts one model file into the catalogue, through `dim push`.
  void push(const std::string& name, const std::filesystem::path& file,
            const std::filesystem::path& config);

  reply get(const std::string& target) const;
  reply post(const std::string& target, const nlohmann::json& body,
             const std::string& key = {}) const;
  reply remove(const std::string& target) const;

  /// Submits a job and returns its id; fails the test unless it is accepted.
  std::string submit(const nlohmann::json& job) const;
  /// Waits for the job's end and returns the job; fails the test when it does not come in time.
  nlohmann::json finish(const std::string& id,
                        std::chrono::milliseconds limit = std::chrono::seconds{60}) const;
  /// Waits as `finish` does, and returns the status alone: for jobs with large answers.
  std::string finish_state(const std::string& id,
                           std::chrono::milliseconds limit = std::chrono::seconds{60}) const;
  nlohmann::json executions_of(const std::string& id) const;
  /// Asks again and again until `is_so`; fails the test when it does not come true in time.
  void wait_until(const std::string& what, const std::function<bool()>& is_so,
                  std::chrono::milliseconds limit = std::chrono::seconds{30}) const;
  std::size_t nodes_online() const;
  /// How often `message` stands in a process's log, for instance "node-1".
  std::size_t count_in_log(const std::string& name, const std::string& message) const;
  /// The end of every process's log, for a message.
  std::string logs() const;

private:
  process start(const std::string& name, const std::string& roles,
                std::vector<std::string> arguments) const;
  void await_ports(const std::string& name, process& owner) const;

  cluster_shape shape_;
  std::filesystem::path folder_;
  /// Failed checks of the program when this cluster was started.
  std::size_t failures_before_ = 0;
  process orchestrator_;
  process gateway_;
  std::vector<process> nodes_;
  std::uint16_t port_ = 0;
  std::uint16_t cluster_port_ = 0;
};

/// Whether a job in this state has ended.
bool is_terminal(const std::string& state);

/// A port of loopback that nobody uses, below those that the system gives to outgoing connections:
/// a process that dials a dead neighbour there can not meet itself.
std::uint16_t unused_port();

}  // namespace dim::tests
