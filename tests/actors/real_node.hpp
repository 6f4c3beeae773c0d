#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "actors/node/node_tree.hpp"
#include "config/options.hpp"
#include "runtime/launcher.hpp"
#include "runtime/supervisor.hpp"
#include "runtime/system.hpp"
#include "tests/support/temporary_folder.hpp"

namespace dim::tests {

/// Longest wait for anything in a test with real processes: only a defect takes so long.
inline constexpr auto real_patience = std::chrono::seconds{60};

/// What the orchestrator has heard, for a test's thread that waits for it.
class heard_events {
public:
  void note(const actors::execution_started& news);
  void note(const actors::execution_finished& news);
  void note_join(const actors::node_actor& node);

  /// Waits for the event of this execution; nothing when it does not come.
  std::optional<actors::execution_started> wait_started(const std::string& execution_id);
  std::optional<actors::execution_finished> wait_finished(const std::string& execution_id);
  /// Waits until so many joins have come. False when they do not.
  bool wait_joins(int count);
  /// The node that joined last, once one has; null when none does.
  actors::node_actor wait_node();

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int joins_ = 0;
  actors::node_actor node_;
  std::map<std::string, actors::execution_started> started_;
  std::map<std::string, actors::execution_finished> finished_;
};

/// A whole node in this process, with real `dim-agent` processes, between the test and a fake
/// orchestrator that has the models of `add_model`.
class real_node {
public:
  real_node();
  ~real_node();

  /// Adds a model whose file stands at `path`. The spec's name is the model's.
  void add_model(const models::model_spec& spec, const std::filesystem::path& path);
  /// Adds a TorchScript model with these methods, of one FP32 input "x" and one output "y" of two
  /// numbers a row, with so many workers.
  void add_script(const std::string& name, const std::string& source,
                  models::isolation isolated = models::isolation::process,
                  std::uint32_t instances = 1);

  void start();
  void stop();

  /// Sends a run of the model on `rows` rows of `value`, and returns its execution id.
  std::string send(const std::string& model, float value, std::int64_t rows = 1);
  /// The same, and waits for its end.
  actors::execution_finished run(const std::string& model, float value, std::int64_t rows = 1);
  actors::execution_finished finish(const std::string& execution_id);
  /// Kills the actors with this name.
  void crash(const std::string& actor_name);
  /// Waits until the node has joined so many times.
  void await_joins(int count);
  /// Waits until the forward has begun.
  void await_started(const std::string& execution_id);

  config::options options;
  temporary_folder folder;

private:
  std::map<std::string, actors::model_entry> models_;
  std::map<std::string, std::string> files_;
  std::shared_ptr<heard_events> events_ = std::make_shared<heard_events>();
  std::unique_ptr<runtime::system_config> config_;
  std::shared_ptr<runtime::launcher> launcher_;
  std::unique_ptr<caf::actor_system> system_;
  runtime::service<caf::actor> entry_;
  runtime::service<actors::node_control_actor> node_;
  runtime::supervisor_actor root_;
  int executions_ = 0;
};

/// Process ids of this process's own children that run dim-agent.
std::vector<int> agent_pids();

/// Waits for the end of a process that need not be a child. False when it goes on.
bool await_end(int pid);

/// The numbers of an output.
std::vector<float> numbers_of(const actors::execution_finished& news);

}  // namespace dim::tests
