#pragma once

#include <cstdint>
#include <string>

#include <caf/typed_actor.hpp>

#include "runtime/errors.hpp"

/// Messages of LINK, its owner and its peer. All but the greeting stay within one process.
namespace dim::runtime {

/// LINK asks the peer's entry actor whether the two belong together. The reply is the peer's own.
struct greet_peer {
  /// The name of the sender's cluster.
  std::string cluster;
  /// The number of the protocol that the sender speaks.
  std::uint32_t protocol = 0;

  bool operator==(const greet_peer&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, greet_peer& x) {
  return f(x.cluster, x.protocol);
}

/// LINK tells its owner: the peer's entry actor is in the cell, and is watched. Next is the owner's
/// own step, to join. No reply.
struct link_up {
  /// Grows with every connection.
  std::uint64_t generation = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, link_up& x) {
  return f(x.generation);
}

/// LINK tells its owner: the peer is gone, the cell is empty, and LINK dials again. Comes once for
/// each `link_up`. No reply.
struct link_down {
  std::uint64_t generation = 0;
  failure reason;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, link_down& x) {
  return f(x.generation, x.reason);
}

/// The owner could not join over connection `generation`: LINK gives it up (a `link_down` follows)
/// and dials again after its back-off. Ignored for an older connection. No reply.
struct redial {
  std::uint64_t generation = 0;
  failure reason;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, redial& x) {
  return f(x.generation, x.reason);
}

/// INTERNAL: the back-off is over.
struct dial_due {
  std::uint64_t round = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, dial_due& x) {
  return f(x.round);
}

/// LINK keeps the connection of this process to another one (see link.hpp).
using link_actor = caf::typed_actor<
  // From the owner.
  caf::reacts_to<redial>,
  // INTERNAL.
  caf::reacts_to<dial_due>>;

}  // namespace dim::runtime
