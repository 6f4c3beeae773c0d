#include "runtime/handoff_scheduler.hpp"

#include <set>
#include <utility>

#include <caf/actor_system_config.hpp>
#include <caf/all.hpp>
#include <caf/scheduler/coordinator.hpp>

#include "runtime/handoff_policy.hpp"

namespace dim::runtime {

void enable_handoff(caf::actor_system_config& config) {
  config.load<caf::scheduler::coordinator<handoff_policy>>();
}

}  // namespace dim::runtime
