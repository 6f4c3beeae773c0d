#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/mailbox_element.hpp>

#include "runtime/actor_table.hpp"

namespace dim::runtime {

/// What a message fault does to one message on its way into a mailbox.
enum class message_fault : std::uint8_t { none, drop, duplicate, delay, corrupt };

/// Decides the fate of one message; runs in the sender's thread, so it must be thread-safe. Empty
/// in production: `[faults] enabled` sets it (a later product feature), and tests do.
using fault_hook = std::function<message_fault(const char* receiver, const caf::mailbox_element&)>;

/// State that every actor of one actor system shares.
struct system_context {
  actor_table actors;
  /// Simulation and actor tests: `spawn_detached` makes cooperative actors, so that one thread runs
  /// all.
  bool cooperative = false;
  fault_hook faults;
  /// How long `message_fault::delay` holds a message back.
  std::uint32_t fault_delay_ms = 100;
  /// Wall-clock time at the moment when the actor clock showed `clock_base_ns`.
  std::int64_t wall_base_ms = 0;
  std::int64_t clock_base_ns = 0;
  /// Seeds the generators of ids and jitter; random in production.
  std::uint64_t seed = 0;
};

/// The configuration of every DIM actor system: message types, links, scheduler. `heartbeat_ms` and
/// `lost_ms` configure BASP's own heartbeats, which must be on at both ends.
class system_config : public caf::actor_system_config {
public:
  system_config();

  /// Loads the middleman with heartbeats, `workers=0` and the 'sharing' policy (3 times lower
  /// latency).
  void enable_links(std::uint32_t heartbeat_ms, std::uint32_t lost_ms);

  /// Virtual time and one thread, for tests and simulation.
  void enable_simulation(std::uint64_t seed);

  std::shared_ptr<system_context> context = std::make_shared<system_context>();
};

/// The shared state of `system`, which must have been made from a `system_config`.
system_context& context_of(caf::actor_system& system);

/// The actor clock in nanoseconds: virtual in simulation.
std::int64_t clock_ns(caf::actor_system& system);

/// Milliseconds since the Unix epoch, moving with the actor clock. The only wall clock actors use.
std::int64_t wall_ms(caf::actor_system& system);

}  // namespace dim::runtime
