#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/router.hpp"
#include "runtime/errors.hpp"

namespace caf {
class actor_system;
}  // namespace caf

namespace dim::gateway {

struct server_options {
  /// A host name or address of this machine.
  std::string bind = "127.0.0.1";
  /// 0: any free port.
  std::uint16_t port = 0;
  std::uint32_t threads = 2;
  /// The threads keep to these cores; none: they run anywhere.
  std::vector<std::uint32_t> cores = {};
  /// More are answered 503, and closed without an answer where even those are many.
  std::uint32_t connections_max = 4'096;
  std::uint32_t header_bytes_max = 16 << 10;
  std::uint64_t body_bytes_max = 64ull << 20;
  std::chrono::milliseconds idle_timeout{60'000};
  /// Called again and again, every 50 ms, on an HTTP thread.
  std::function<void()> watch = [] {};
};

/// Accepts connections and runs their sessions on threads of its own.
///
///   created --start--> serving --drain--> draining --stop--> stopped
///
/// The functions are called from one thread, that of the owner.
class server {
public:
  /// `routes` must outlive the server, and no longer change.
  server(const router& routes, server_options options);
  /// Stops.
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// Listens, and starts the threads. Returns the port. Errors: unavailable (the address is in
  /// use, or none of this machine's).
  ///
  /// `system`, which must outlive the threads: they run actors of it that they have woken, see
  /// `runtime::actor_lane`. Null: they run none.
  runtime::expected<std::uint16_t> start(caf::actor_system* system = nullptr);

  /// Accepts no more, closes connections without a request, and waits until the others have got
  /// their answer, at most until `deadline`. Returns whether all have.
  bool drain(std::chrono::steady_clock::time_point deadline);

  /// Closes all connections and ends the threads. Handlers' callbacks do not run any more.
  void stop();

  /// Connections that are open.
  std::size_t connections() const;

private:
  struct core;
  std::unique_ptr<core> core_;
};

}  // namespace dim::gateway
