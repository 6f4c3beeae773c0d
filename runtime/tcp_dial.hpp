#pragma once

#include <cstdint>
#include <string>

#include "runtime/errors.hpp"

namespace dim::runtime {

/// Opens a TCP connection and returns its socket, which does not block and is closed in child
/// programs. All addresses of `host` are tried, within `timeout_ms` together; only the look-up of a
/// name may take longer. Blocks. Errors: unavailable (in words), timeout.
expected<int> dial_tcp(const std::string& host, std::uint16_t port, std::uint32_t timeout_ms);

/// Why nobody can listen at `port` of `bind`, in the system's words; empty when one can.
std::string why_not_listening(const std::string& bind, std::uint16_t port);

/// Settings of every socket between machines: small messages leave at once, and a peer that takes
/// nothing for `lost_ms` is cut off, so that what waits for it is freed.
void prepare_link_socket(int socket, std::uint32_t lost_ms);

}  // namespace dim::runtime
