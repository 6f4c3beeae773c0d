#include "tools/dimd/fault_injection.hpp"

#include <chrono>

#include "actors/faults/faults.hpp"
#include "actors/faults/faulty_inference.hpp"
#include "actors/type_ids.hpp"
#include "runtime/spawn.hpp"

namespace dim::tools {

namespace {

/// The clock of a real actor system, which does not live yet when the store is opened.
std::int64_t now_ns() {
  const auto now = caf::actor_clock::clock_type::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

}  // namespace

std::shared_ptr<actors::fault_board> make_fault_board(const config::options& options) {
  return std::make_shared<actors::fault_board>(
    actors::names_of_process(options.cluster.roles, options.node.name));
}

runtime::disk_faults make_disk_faults(const config::options& options,
                                      std::shared_ptr<actors::fault_board> board) {
  if (!options.faults.enabled)
    return {};
  return {[board](runtime::disk_write write) { return board->decide(write, now_ns()); }, {}};
}

actors::inference_decorator make_forward_faults(const config::options& options,
                                                std::shared_ptr<actors::fault_board> board) {
  return options.faults.enabled ? actors::make_inference_decorator(std::move(board))
                                : actors::inference_decorator{};
}

std::vector<runtime::child_spec> fault_children(const config::options& options,
                                                std::shared_ptr<actors::fault_board> board,
                                                runtime::service<caf::actor> entry,
                                                runtime::service<actors::faults_actor> cell) {
  const auto is_orchestrator = config::has_role(options, "orchestrator");
  if (!options.faults.enabled && !is_orchestrator)
    return {};
  actors::faults_arguments values{options.faults.enabled, options.faults.lasts_max_ms,
                                  std::move(board), std::move(entry), is_orchestrator};
  return {runtime::make_child(
    "FAULTS", std::move(cell), [values](caf::local_actor& parent) -> actors::faults_actor {
      // Only one that does something may block.
      if (!values.is_enabled)
        return parent.spawn(actors::faults, values);
      return runtime::spawn_detached(parent.home_system(), parent, actors::faults, values);
    })};
}

}  // namespace dim::tools
