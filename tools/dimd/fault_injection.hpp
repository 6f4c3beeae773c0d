#pragma once

#include <memory>
#include <vector>

#include "actors/agent/worker_host.hpp"
#include "actors/faults/fault_board.hpp"
#include "actors/faults/interface.hpp"
#include "config/options.hpp"
#include "runtime/disk_faults.hpp"
#include "runtime/service.hpp"
#include "runtime/supervisor.hpp"

/// Where the faults that users inject come into a process. Without `[faults] enabled` there is
/// nothing of it but, in the orchestrator, a FAULTS that refuses.
namespace dim::tools {

/// The faults of a process with these options.
std::shared_ptr<actors::fault_board> make_fault_board(const config::options& options);

/// What the store asks before it writes; empty unless faults are enabled.
runtime::disk_faults make_disk_faults(const config::options& options,
                                      std::shared_ptr<actors::fault_board> board);

/// What stands before every INFERENCE; empty unless faults are enabled.
actors::inference_decorator make_forward_faults(const config::options& options,
                                                std::shared_ptr<actors::fault_board> board);

/// FAULTS as a child of ROOT; none where nobody would ask it. `entry`: of the orchestrator.
std::vector<runtime::child_spec> fault_children(const config::options& options,
                                                std::shared_ptr<actors::fault_board> board,
                                                runtime::service<caf::actor> entry,
                                                runtime::service<actors::faults_actor> cell);

}  // namespace dim::tools
