#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/network/stream_impl.hpp>
#include <caf/io/scribe.hpp>

#include "runtime/handshakes.hpp"
#include "runtime/tls_session.hpp"

namespace dim::runtime {

/// One connection as CAF's multiplexer sees it: bytes in, bytes out, and TLS between.
///
/// What BASP writes before the handshake is over is held back; so there is never a wait for writing
/// while the handshake waits for reading.
class tls_scribe final : public caf::io::scribe {
public:
  /// Owns `socket` from here on. `slot` is empty for a connection that this process dials.
  tls_scribe(caf::io::network::default_multiplexer& multiplexer, int socket,
             std::shared_ptr<const tls_context> context, tls_session::side side,
             handshakes::ticket slot);

  void configure_read(caf::io::receive_policy::config config) override;
  void ack_writes(bool enable) override;
  std::vector<char>& wr_buf() override;
  std::vector<char>& rd_buf() override;
  void graceful_shutdown() override;
  void flush() override;
  std::string addr() const override;
  std::uint16_t port() const override;
  void add_to_loop() override;
  void remove_from_loop() override;

private:
  /// Lives in the stream, so that it ends before the stream closes the socket.
  struct channel {
    tls_session session;
    handshakes::ticket slot;
  };

  /// What CAF's stream reads and writes with.
  struct policy {
    using rw_state = caf::io::network::rw_state;
    using native_socket = caf::io::network::native_socket;

    rw_state read_some(std::size_t& moved, native_socket, void* to, std::size_t size);
    rw_state write_some(std::size_t& moved, native_socket, const void* from, std::size_t size);
    bool must_read_more(native_socket, std::size_t size);

    tls_scribe* owner;
    std::unique_ptr<channel> lane;
  };

  tls_session::outcome shake_hands(channel& lane);
  void report_end(const channel& lane);

  const tls_session::side side_;
  bool is_launched_ = false;
  bool is_established_ = false;
  bool is_reported_ = false;
  std::vector<char> held_back_;
  channel* lane_ = nullptr;
  caf::io::network::stream_impl<policy> stream_;
};

}  // namespace dim::runtime
