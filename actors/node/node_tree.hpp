#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "actors/agent/worker_host.hpp"
#include "actors/cluster/node_record.hpp"
#include "actors/node/interface.hpp"
#include "config/options.hpp"
#include "models/cabinet.hpp"
#include "models/device.hpp"
#include "runtime/machine.hpp"
#include "runtime/service.hpp"
#include "runtime/supervisor.hpp"

namespace dim::runtime {
class launcher;
}  // namespace dim::runtime

/// A whole node, as a program puts it together:
///
///     auto setup = actors::prepare_node(options, cuda_devices);      // blocks; before the actors
///     runtime::service<actors::node_control_actor> node;
///     auto spec = actors::node_tree(*setup, {options, entry, launcher, make_inference, node});
///     root.children.push_back(runtime::make_supervisor_child(std::move(spec)));
///
/// and, to end: `drain_node` to `node`, then the tree is stopped.
namespace dim::actors {

/// What a node knows of itself before it starts.
struct node_setup {
  node_facts facts;
  std::map<std::string, models::cabinet> cabinets;
  /// Why a folder is not offered as a cabinet, each in words.
  std::vector<std::string> problems;
};

/// Finds the node's id (made at the first start and kept in `<data_dir>/node_id`), its devices and
/// its cabinets, whose files are read once. Blocks. `cuda` are the GPUs of this machine. Errors:
/// internal (the data folder can not be used), bad_input (devices that can not be used).
runtime::expected<node_setup> prepare_node(const config::options& options,
                                           const std::vector<models::device_info>& cuda);

/// The GPUs of this machine: asks a `dim-agent --describe-devices`, since only that links LibTorch
/// and starting CUDA is slow; at once empty where the machine has no NVIDIA driver. Blocks for at
/// most `agent.start_timeout_ms`. Errors: internal (what the program said).
runtime::expected<std::vector<models::device_info>> discover_devices(
  const config::agent_options& agent);

struct node_tree_arguments {
  config::options options;
  /// The orchestrator's ENTRY: kept filled by LINK, or by the orchestrator in the same process.
  runtime::service<caf::actor> entry;
  /// Starts agent processes. Null: there are none, all models run on threads.
  std::shared_ptr<runtime::launcher> launcher;
  /// For models with `isolation = "thread"`. Empty: they run in processes like the others.
  inference_factory make_inference;
  /// Filled while NODE runs.
  runtime::service<node_control_actor> node;
  /// What heartbeats tell of the machine. Empty: what is measured on this one.
  std::function<node_load()> measure = {};
  /// Stands before every INFERENCE; empty: nothing does.
  inference_decorator decorate = {};
};

/// How many of the `offered` bytes of a node are not there for new work, because others on its
/// machine have them, too; 0 when the machine's memory can not be read.
std::uint64_t memory_in_use(const runtime::memory_facts& machine, std::uint64_t offered);

/// The supervisor of a node: CACHE, AGENT ENTRY, one DEVICE each, and NODE, which fall and start
/// together (one_for_all), since each holds what another has told it. Its agents' INFERENCE
/// processes end with their DEVICE.
runtime::supervisor_spec node_tree(const node_setup& setup, node_tree_arguments arguments);

}  // namespace dim::actors
