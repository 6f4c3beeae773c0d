#include "tools/bench/steady_load.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <memory>
#include <string_view>
#include <vector>

namespace dim::tools {

namespace {

using clock_type = std::chrono::steady_clock;

constexpr std::string_view head_end = "\r\n\r\n";
constexpr std::string_view length_name = "content-length:";

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// The value of `Content-Length`; 0 without one.
std::size_t body_size_of(std::string_view head) {
  auto found = std::search(head.begin(), head.end(), length_name.begin(), length_name.end(),
                           [](char one, char other) { return lower(one) == other; });
  if (found == head.end())
    return 0;
  auto text = head.substr(static_cast<std::size_t>(found - head.begin()) + length_name.size());
  text.remove_prefix(std::min(text.size(), text.find_first_not_of(' ')));
  std::size_t size = 0;
  std::from_chars(text.data(), text.data() + text.size(), size);
  return size;
}

/// One connection and the request that is under way on it.
struct exchange {
  int socket = -1;
  std::size_t sent = 0;
  std::string received;
  /// Size of head and body, once the head is here; 0 before.
  std::size_t expected = 0;
  bool is_good = false;
  clock_type::time_point started;
};

class steady_client {
public:
  steady_client(const load_options& options, const std::string& request)
    : options_(options), request_(request), exchanges_(options.connections),
      epoll_(::epoll_create1(0)) {
  }

  ~steady_client() {
    for (auto& each : exchanges_)
      if (each.socket >= 0)
        ::close(each.socket);
    ::close(epoll_);
  }

  load_result run() {
    for (std::size_t index = 0; index < exchanges_.size(); ++index)
      connect(index);
    auto begin = clock_type::now();
    end_ = begin + options_.duration;
    for (auto& each : exchanges_)
      if (each.socket >= 0)
        start(each);
    std::array<epoll_event, 64> events;
    while (open_ > 0 && clock_type::now() < end_ + grace) {
      auto count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 100);
      for (int place = 0; place < count; ++place)
        handle(exchanges_[events[static_cast<std::size_t>(place)].data.u64],
               events[static_cast<std::size_t>(place)].events);
    }
    result_.errors += open_;
    result_.seconds = std::chrono::duration<double>(clock_type::now() - begin).count();
    return std::move(result_);
  }

private:
  /// For what is under way at the end.
  static constexpr std::chrono::seconds grace{10};

  void connect(std::size_t index) {
    auto& target = exchanges_[index];
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options_.port);
    ::inet_pton(AF_INET, options_.host.c_str(), &address.sin_addr);
    target.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(target.socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
      ++result_.errors;
      ::close(target.socket);
      target.socket = -1;
      return;
    }
    int on = 1;
    ::setsockopt(target.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    epoll_event wish{};
    wish.events = EPOLLIN;
    wish.data.u64 = index;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, target.socket, &wish);
    ++open_;
  }

  void start(exchange& what) {
    if (clock_type::now() >= end_)
      return stop(what);
    what.sent = 0;
    what.received.clear();
    what.expected = 0;
    what.started = clock_type::now();
    send(what);
  }

  void stop(exchange& what) {
    ::close(what.socket);
    what.socket = -1;
    --open_;
  }

  void fail(exchange& what) {
    ++result_.errors;
    stop(what);
  }

  void send(exchange& what) {
    while (what.sent < request_.size()) {
      auto count = ::send(what.socket, request_.data() + what.sent, request_.size() - what.sent,
                          MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count > 0) {
        what.sent += static_cast<std::size_t>(count);
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        return watch(what, EPOLLIN | EPOLLOUT);
      } else if (errno != EINTR) {
        return fail(what);
      }
    }
  }

  void watch(exchange& what, std::uint32_t events) {
    epoll_event wish{};
    wish.events = events;
    wish.data.u64 = static_cast<std::uint64_t>(&what - exchanges_.data());
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, what.socket, &wish);
  }

  void handle(exchange& what, std::uint32_t events) {
    if (what.socket >= 0 && (events & EPOLLOUT) != 0) {
      watch(what, EPOLLIN);
      send(what);
    }
    if (what.socket >= 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
      receive(what);
  }

  void receive(exchange& what) {
    auto count = ::recv(what.socket, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
      return;
    if (count <= 0)
      return fail(what);
    what.received.append(buffer_.data(), static_cast<std::size_t>(count));
    if (what.expected == 0) {
      auto end = what.received.find(head_end);
      if (end == std::string::npos)
        return;
      std::string_view head{what.received.data(), end};
      what.expected = end + head_end.size() + body_size_of(head);
      what.is_good = head.starts_with("HTTP/1.1 200");
    }
    if (what.received.size() < what.expected)
      return;
    if (what.is_good) {
      ++result_.answered;
      result_.latencies.add(clock_type::now() - what.started);
    } else {
      ++result_.errors;
    }
    start(what);
  }

  const load_options& options_;
  const std::string& request_;
  std::vector<exchange> exchanges_;
  int epoll_;
  std::size_t open_ = 0;
  clock_type::time_point end_;
  load_result result_;
  std::array<char, 256 * 1024> buffer_;
};

}  // namespace

load_result run_steady_load(const load_options& options, const std::string& request) {
  // The buffer is too large for the stack of whoever calls.
  auto client = std::make_unique<steady_client>(options, request);
  return client->run();
}

}  // namespace dim::tools
