#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/mailbox_element.hpp>

#include "runtime/actor_lane.hpp"
#include "runtime/actor_table.hpp"
#include "runtime/spare_work.hpp"
#include "runtime/spin_wait.hpp"

namespace dim::runtime {

/// What a message fault does to one message on its way into a mailbox. `corrupt` flips a bit
/// anywhere in it; `corrupt_payload` one in its largest payload, which carries a digest, and leaves
/// alone what has none.
enum class message_fault : std::uint8_t { none, drop, duplicate, delay, corrupt, corrupt_payload };

/// The fate of one message.
struct fault_decision {
  fault_decision(message_fault fault, std::uint32_t delay_ms = 0)
    : fault(fault), delay_ms(delay_ms) {
  }

  message_fault fault = message_fault::none;
  /// `delay`: for how long; 0: `system_context::fault_delay_ms`.
  std::uint32_t delay_ms = 0;
};

/// Decides the fate of one message; runs in the sender's thread, so it must be thread-safe.
using fault_hook = std::function<fault_decision(const char* receiver, const caf::mailbox_element&)>;

/// Holds the hook, which may be put in and taken out while actors run. Empty in production unless
/// `[faults] enabled` is set: then asking costs one load.
class fault_switch {
public:
  /// Thread-safe. A hook that is running meanwhile ends its work.
  fault_switch& operator=(fault_hook hook);

  explicit operator bool() const noexcept {
    return is_on_.load(std::memory_order_relaxed);
  }

  /// What the hook says; `none` without one. Thread-safe.
  fault_decision operator()(const char* receiver, const caf::mailbox_element& element) const;

private:
  std::atomic<bool> is_on_{false};
  mutable std::mutex mutex_;
  std::shared_ptr<const fault_hook> hook_;
};

/// State that every actor of one actor system shares.
struct system_context {
  actor_table actors;
  lane_pool lanes;
  /// How long threads of HTTP, of the links and of detached actors with a lane look for work before
  /// they sleep: see `spin_wait`. Set before the system is made.
  std::chrono::microseconds spin_limit{0};
  /// Direct inferences that this process works on.
  runtime::traffic traffic;
  /// What threads that run actors on a lane do before they sleep.
  spare_work spare;
  /// An actor that handles one message for so long is stuck; 0: none ever is. Set before the system
  /// is made.
  std::chrono::milliseconds stuck_limit{0};
  /// Simulation and actor tests: `spawn_detached` makes cooperative actors, so that one thread runs
  /// all.
  bool cooperative = false;
  fault_switch faults;
  /// How long `message_fault::delay` holds a message back when the hook does not say.
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

/// Gives the thread of the links an `actor_lane`: what a message from another process wakes runs
/// there. `system` has links.
void enable_link_lane(caf::actor_system& system);

/// The shared state of `system`, which must have been made from a `system_config`.
system_context& context_of(caf::actor_system& system);

/// The actor clock in nanoseconds: virtual in simulation.
std::int64_t clock_ns(caf::actor_system& system);

/// Milliseconds since the Unix epoch, moving with the actor clock. The only wall clock actors use.
std::int64_t wall_ms(caf::actor_system& system);

}  // namespace dim::runtime
