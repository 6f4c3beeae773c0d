#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <caf/all.hpp>

#include "runtime/errors.hpp"
#include "runtime/messages.hpp"
#include "runtime/restart_policy.hpp"
#include "runtime/service.hpp"
#include "runtime/tree_messages.hpp"

/// Supervision as data: who is started, in which order, and what happens when one of them ends.
namespace dim::runtime {

/// One child, as its supervisor knows it.
struct child_spec {
  std::string name;
  /// Makes the actor as a child of `parent` and puts its handle into its service cell. Runs in the
  /// supervisor, at the start and at each restart; must not block.
  std::function<expected<caf::strong_actor_ptr>(caf::local_actor& parent)> start;
  /// The actor has ended: empties its service cell. May be empty.
  std::function<void()> ended;
  restart_kind restart = restart_kind::permanent;
  /// From the request to end until it is killed.
  std::uint32_t stop_grace_ms = 5'000;
  /// From its start until it handles messages; the next child is started only then.
  std::uint32_t start_timeout_ms = 60'000;
  /// It is a supervisor itself, and runs when all its children do.
  bool is_supervisor = false;
};

/// A supervisor and its children, in the order of their start.
struct supervisor_spec {
  std::string name;
  restart_strategy strategy = restart_strategy::one_for_one;
  restart_limits limits;
  std::vector<child_spec> children;
};

/// A child whose handle lives in `cell`. `spawn` is a function from `caf::local_actor& parent` to
/// `Handle`, or to `expected<Handle>` where the start can fail.
template <class Handle, class Spawn>
child_spec make_child(std::string name, service<Handle> cell, Spawn spawn,
                      restart_kind restart = restart_kind::permanent,
                      std::uint32_t stop_grace_ms = 5'000) {
  child_spec spec;
  spec.name = std::move(name);
  spec.start = [cell, spawn](caf::local_actor& parent) mutable -> expected<caf::strong_actor_ptr> {
    expected<Handle> handle = spawn(parent);
    if (!handle)
      return tl::unexpected(handle.error());
    cell.set(*handle);
    return caf::actor_cast<caf::strong_actor_ptr>(*handle);
  };
  spec.ended = [cell]() mutable { cell.clear(); };
  spec.restart = restart;
  spec.stop_grace_ms = stop_grace_ms;
  return spec;
}

/// A supervisor as the child of another.
child_spec make_supervisor_child(supervisor_spec spec,
                                 restart_kind restart = restart_kind::permanent,
                                 std::uint32_t stop_grace_ms = 60'000);

/// Spawns the supervisor and returns at once; `await_tree` tells when its children run. It ends
/// with an error when a child does not start at first, or ends more often than the limits allow;
/// its other children are stopped before.
supervisor_actor spawn_supervisor(caf::actor_system& system, supervisor_spec spec);
supervisor_actor spawn_supervisor(caf::local_actor& parent, supervisor_spec spec);

/// Spawns the supervisor and waits until all its children run. For `main`, never for actors.
/// Errors: why the first child that did not start did not, or `timeout`. The tree lives as long as
/// somebody holds the handle.
expected<supervisor_actor> start_supervisor(caf::actor_system& system, supervisor_spec spec,
                                            std::uint32_t timeout_ms);

/// Stops the whole tree, in reverse order of its start, and waits for that. Errors: `timeout`.
expected<void> stop_supervisor(caf::actor_system& system, const supervisor_actor& root,
                               std::uint32_t timeout_ms);

}  // namespace dim::runtime
