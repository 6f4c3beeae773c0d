#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "runtime/tls_context.hpp"

namespace dim::runtime {

/// TLS on one socket that does not block:
///
///   shaking hands --> established --> closed
///         |                             ^
///         +-----------------------------+
///
/// The socket stays the caller's, and must outlive the session. Not thread-safe.
///
/// OpenSSL keeps its errors a thread, not a connection, and takes what it finds there for those of
/// the connection at hand: each call here begins by forgetting them.
class tls_session {
public:
  enum class side { dialling, accepting };
  /// `later`: when the socket can be read (or, after `write`, written) again. `closed`: for good,
  /// see `reason`.
  enum class outcome { done, later, closed };

  tls_session(std::shared_ptr<const tls_context> context, int socket, side which);

  /// Goes on with the handshake; `done` once it is over.
  outcome shake_hands();

  /// Both take part of the bytes at times; `moved` says how many. Only once established.
  outcome read(void* to, std::size_t size, std::size_t& moved);
  outcome write(const void* from, std::size_t size, std::size_t& moved);

  bool is_established() const noexcept {
    return is_established_;
  }
  /// Bytes that can be read although the socket has none.
  std::size_t pending() const;

  /// Why it is closed, in words; empty when the peer has just gone.
  const std::string& reason() const noexcept {
    return reason_;
  }
  /// The subject of the peer's certificate.
  std::string peer() const;
  /// Such as "TLSv1.3 TLS_AES_256_GCM_SHA384".
  std::string protocol() const;

private:
  outcome judge(int result);

  std::shared_ptr<const tls_context> context_;
  std::shared_ptr<SSL> ssl_;
  bool is_established_ = false;
  bool is_closed_ = false;
  std::string reason_;
};

}  // namespace dim::runtime
