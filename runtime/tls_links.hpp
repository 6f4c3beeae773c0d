#pragma once

#include <cstdint>
#include <memory>

#include <caf/actor_system.hpp>
#include <caf/io/middleman_actor.hpp>

#include "runtime/system.hpp"
#include "runtime/tls_context.hpp"

/// The links between machines: BASP over mutual TLS.
///
/// CAF has a transport of its own for this, `caf_openssl`. It is not used, because with CAF 0.17.6
/// whoever can open a TCP connection, without any certificate, cuts the links of others (an error
/// of one connection is taken for one of the next) and keeps the network thread busy (it asks
/// whether it may write while it waits to read); and it reads the key file again for each
/// connection, and ends the process when it can not. This one stands on the same seam of CAF, the
/// middleman's actor and its scribes.
namespace dim::runtime {

struct tls_link_limits {
  /// For the TCP connection; the handshake has its own.
  std::uint32_t dial_timeout_ms = 5'000;
  std::uint32_t handshake_timeout_ms = 5'000;
  /// Handshakes with those who dial this process at the same time.
  std::uint32_t handshakes_max = 256;
  /// A peer that takes nothing for this long is cut off.
  std::uint32_t lost_ms = 10'000;
};

/// Makes `tls_dialer_of` work for systems made from `config`, which must have `enable_links`.
void enable_tls(system_config& config, std::shared_ptr<const tls_context> context,
                tls_link_limits limits);

/// What publishes and dials over TLS, with the messages of the middleman's actor; empty without
/// `enable_tls`.
caf::io::middleman_actor tls_dialer_of(caf::actor_system& system);

}  // namespace dim::runtime
