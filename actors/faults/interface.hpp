#pragma once

#include <caf/typed_actor.hpp>

#include "actors/faults/messages.hpp"

namespace dim::actors {

/// FAULTS carries out faults in its own process, and through others of its kind in theirs: that of
/// the orchestrator knows all that have reported. Without `[faults] enabled` it refuses everything,
/// and only the orchestrator has one.
using faults_actor = caf::typed_actor<
  // From the gateway, through ENTRY; see the messages for errors.
  caf::replies_to<inject_fault>::with<fault_injected>,
  caf::replies_to<list_faults>::with<fault_list>, caf::replies_to<clear_faults>::with<fault_list>,
  // From FAULTS of another process, through ENTRY.
  caf::reacts_to<faults_report>,
  // From the orchestrator's FAULTS.
  caf::replies_to<strike_fault>::with<fault_injected>,
  // INTERNAL.
  caf::reacts_to<faults_due>>;

}  // namespace dim::actors
