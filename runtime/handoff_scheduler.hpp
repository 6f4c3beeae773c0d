#pragma once

namespace caf {
class actor_system_config;
}  // namespace caf

namespace dim::runtime {

/// Lets the actor system that is made from `config` share its work by `handoff_policy`. For real
/// processes: virtual time has a scheduler of its own.
void enable_handoff(caf::actor_system_config& config);

}  // namespace dim::runtime
