#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <caf/all.hpp>
#include <caf/io/middleman_actor.hpp>

#include "runtime/actor_base.hpp"
#include "runtime/link_messages.hpp"
#include "runtime/messages.hpp"
#include "runtime/random_source.hpp"
#include "runtime/service.hpp"

/// Connections between the processes of a cluster. A process publishes one entry actor; others dial
/// it with a LINK, which the roles `node` and `gateway` share.
namespace dim::runtime {

/// Where a peer listens.
struct endpoint {
  std::string host;
  std::uint16_t port = 0;

  bool operator==(const endpoint&) const = default;
};

/// Reads "host:port" or "[ipv6]:port". Errors: bad_input.
expected<endpoint> parse_endpoint(const std::string& text);

struct link_options {
  /// "host:port" each, tried in turn; must be readable by `parse_endpoint`.
  std::vector<std::string> addresses;
  /// Only a peer that says the same of itself is taken; empty: any.
  std::optional<greet_peer> greeting = {};
  /// One attempt at one address.
  std::uint32_t dial_timeout_ms = 5'000;
  /// First pause after all addresses have failed; it doubles up to `backoff_max_ms`.
  std::uint32_t backoff_ms = 100;
  std::uint32_t backoff_max_ms = 5'000;
};

/// LINK dials until it has a connection, watches it, and dials again when it is gone:
///
///   dialling --connected--> greeting --of the same cluster and protocol--> up
///   up --peer gone, or redial--> waiting --back-off over--> dialling
///   dialling --every address has failed--> waiting
///
/// While it is up, `entry` holds the peer's entry actor. The owner hears `link_up` and `link_down`
/// in turn; it sends its join itself, and `redial` when that is refused. Without an owner (an empty
/// handle) the cell alone tells.
class link_state {
public:
  static inline const char* name = "LINK";
  using self_pointer = actor_self<link_actor, link_state>;

  explicit link_state(self_pointer self) : self_(self) {
  }

  void begin(caf::io::middleman_actor dialer, link_options options, service<caf::actor> entry,
             caf::actor owner);
  void dial(const dial_due& message);
  void redial_after(const redial& message);
  void peer_ended(const caf::down_msg& message);
  std::string describe() const;

private:
  void dial_address(std::size_t index);
  void connected(const caf::strong_actor_ptr& peer, bool is_typed, std::size_t index);
  void greet(const caf::actor& peer, std::size_t index);
  void take(const caf::actor& peer, std::size_t index);
  void failed(const failure& reason, std::size_t index);
  void lose(const failure& reason);
  void wait_and_dial();

  self_pointer self_;
  caf::io::middleman_actor dialer_;
  link_options options_;
  service<caf::actor> entry_;
  caf::actor owner_;
  std::optional<random_source> random_;
  caf::actor peer_;
  std::uint64_t generation_ = 0;
  /// Grows with each wait, so that older timers count for nothing.
  std::uint64_t round_ = 0;
  std::uint32_t failures_ = 0;
  std::int64_t up_since_ns_ = 0;
  failure last_failure_;
};

/// The behaviour of LINK. `dialer` is the middleman's actor (`dialer_of`).
link_actor::behavior_type link(link_state::self_pointer self, caf::io::middleman_actor dialer,
                               link_options options, service<caf::actor> entry, caf::actor owner);

/// The middleman's actor of a system made with `enable_links`: for processes of one machine, always
/// without TLS.
caf::io::middleman_actor middleman_of(caf::actor_system& system);

/// What dials the other processes of the cluster: over TLS where the system has it.
caf::io::middleman_actor dialer_of(caf::actor_system& system);

/// Offers `entry` to other processes, over TLS where the system has it, and returns the port in
/// use. `port` 0 takes any free one. Blocks, so it is for `main`. Errors: unavailable (the port is
/// taken, or there is no TLS and `bind` is not loopback: whoever reached the port could send
/// anything).
expected<std::uint16_t> publish_entry(caf::actor_system& system, const caf::actor& entry,
                                      const std::string& bind, std::uint16_t port);

/// Whether `bind` names the loopback interface: 127.x.x.x, ::1 or localhost.
bool is_loopback(const std::string& bind);

}  // namespace dim::runtime
