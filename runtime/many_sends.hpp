#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace dim::runtime {

/// Bytes for one socket, and what became of them.
struct socket_send {
  /// -1: none; it is passed over.
  int socket = -1;
  const char* data = nullptr;
  std::size_t size = 0;
  /// Bytes that were taken, fewer than `size` where the socket had no more room; or a negative
  /// error number, -EAGAIN where it had none.
  std::int64_t result = 0;
};

/// Sends to many sockets by one system call, where the kernel has io_uring and lets this process
/// use it; else by one each. It never waits for room. A receiver that is woken by the first bytes
/// then runs when all are on their way, where it would else take this thread's core after each.
///
/// For one thread at a time.
class many_sends {
public:
  /// What goes by one system call.
  static constexpr std::size_t group_max = 64;

  many_sends();
  ~many_sends();
  many_sends(const many_sends&) = delete;
  many_sends& operator=(const many_sends&) = delete;

  void send(std::span<socket_send> orders);

  /// Whether one system call serves many; tests turn it off.
  bool is_joined() const noexcept {
    return ring_ != nullptr;
  }
  void use_single_calls() noexcept;

private:
  struct ring;

  void send_group(std::span<socket_send> orders);
  /// `count`: of those that are for a socket.
  void send_joined(std::span<socket_send> orders, unsigned count);

  std::unique_ptr<ring> ring_;
};

}  // namespace dim::runtime
