#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <caf/typed_actor.hpp>

/// Messages of supervisors.
namespace dim::runtime {

/// Replies when all children of a supervisor run for the first time.
struct await_tree {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, await_tree&) {
  return f();
}

/// Stops all children, the last started first, replies, and ends the supervisor.
struct stop_tree {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, stop_tree&) {
  return f();
}

/// Asks for the children as they are now.
struct get_tree {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, get_tree&) {
  return f();
}

/// A child of a supervisor: `down` (not running), `starting`, `up` or `stopping`.
struct child_status {
  std::string name;
  std::string stage;
  std::uint64_t actor_id = 0;
  std::uint32_t restarts = 0;

  bool operator==(const child_status&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, child_status& x) {
  return f(x.name, x.stage, x.actor_id, x.restarts);
}

struct tree_status {
  std::string name;
  std::vector<child_status> children;

  bool operator==(const tree_status&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, tree_status& x) {
  return f(x.name, x.children);
}

/// INTERNAL: a time of child number `child` has come. Stale when the child's generation has grown.
struct child_due {
  enum class purpose : std::uint8_t { restart, start_timeout, stop_grace };
  purpose what = purpose::restart;
  std::uint32_t child = 0;
  std::uint64_t generation = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, child_due& x) {
  return f(x.what, x.child, x.generation);
}

/// SUPERVISOR starts, watches, restarts and stops its children (see supervisor.hpp).
using supervisor_actor = caf::typed_actor<
  // Errors: why the first child that did not start did not.
  caf::replies_to<await_tree>::with<tree_status>,
  // Never fails. A child that does not end within its grace is killed.
  caf::replies_to<stop_tree>::with<tree_status>,
  // Never fails.
  caf::replies_to<get_tree>::with<tree_status>,
  // INTERNAL.
  caf::reacts_to<child_due>>;

}  // namespace dim::runtime
