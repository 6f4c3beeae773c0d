#include "runtime/tcp_dial.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <system_error>

#include "runtime/descriptor.hpp"

namespace dim::runtime {

namespace {

using clock_type = std::chrono::steady_clock;

int left_ms(clock_type::time_point end) {
  using std::chrono::milliseconds;
  auto left = std::chrono::duration_cast<milliseconds>(end - clock_type::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

/// 0, or the reason as an errno.
int finish_connect(int socket, clock_type::time_point end) {
  pollfd wait{socket, POLLOUT, 0};
  auto ready = 0;
  do
    ready = ::poll(&wait, 1, left_ms(end));
  while (ready < 0 && errno == EINTR);
  if (ready <= 0)
    return ready == 0 ? ETIMEDOUT : errno;
  int reason = 0;
  socklen_t size = sizeof(reason);
  return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &reason, &size) == 0 ? reason : errno;
}

/// The connected socket, or the reason as a negative errno.
int dial_address(const addrinfo& to, clock_type::time_point end) {
  auto socket = ::socket(to.ai_family, to.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0)
    return -errno;
  auto reason = ::connect(socket, to.ai_addr, to.ai_addrlen) == 0 ? 0 : errno;
  if (reason == EINPROGRESS)
    reason = finish_connect(socket, end);
  if (reason == 0)
    return socket;
  ::close(socket);
  return -reason;
}

using address_list = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

/// The addresses of `host`, or why there are none. `flags` as for getaddrinfo.
expected<address_list> find_addresses(const std::string& host, std::uint16_t port, int flags) {
  addrinfo wish{};
  wish.ai_socktype = SOCK_STREAM;
  wish.ai_flags = AI_NUMERICSERV | flags;
  addrinfo* found = nullptr;
  const auto problem =
    ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wish, &found);
  if (problem != 0)
    return fail(error_code::unavailable, host + " is not known: " + ::gai_strerror(problem));
  return address_list{found, &::freeaddrinfo};
}

}  // namespace

expected<int> dial_tcp(const std::string& host, std::uint16_t port, std::uint32_t timeout_ms) {
  auto end = clock_type::now() + std::chrono::milliseconds{timeout_ms};
  const auto found = find_addresses(host, port, 0);
  if (!found)
    return tl::unexpected(found.error());
  auto result = -EHOSTUNREACH;
  for (auto* each = found->get(); each != nullptr && result < 0; each = each->ai_next)
    result = dial_address(*each, end);
  if (result >= 0)
    return result;
  auto code = result == -ETIMEDOUT ? error_code::timeout : error_code::unavailable;
  return fail(code, "no connection to " + host + " port " + std::to_string(port) + ": "
                      + std::generic_category().message(-result));
}

std::string why_not_listening(const std::string& bind, std::uint16_t port) {
  const auto found = find_addresses(bind, port, AI_PASSIVE);
  if (!found)
    return found.error().message;
  const addrinfo& at = **found;
  const descriptor socket{::socket(at.ai_family, at.ai_socktype | SOCK_CLOEXEC, 0)};
  const int on = 1;
  const auto is_listening =
    socket.number() >= 0
    && ::setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0
    && ::bind(socket.number(), at.ai_addr, at.ai_addrlen) == 0
    && ::listen(socket.number(), 1) == 0;
  return is_listening ? "" : std::generic_category().message(errno);
}

void prepare_link_socket(int socket, std::uint32_t lost_ms) {
  int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  unsigned patience = lost_ms;
  ::setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof(patience));
}

}  // namespace dim::runtime
