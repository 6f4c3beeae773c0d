// What is looked at from time to time, for all connections: whether clients are still there, and
// whether anything comes or goes.
#include <cerrno>
#include <utility>

#include <sys/socket.h>

#include <boost/asio/post.hpp>

#include "gateway/http_session.hpp"

namespace dim::gateway {

namespace asio = boost::asio;

void http_session::watch(std::function<void()> gone) {
  in_turn([&] {
    if (phase_ != phase::handling)
      return;
    gone_ = std::move(gone);
    watched_.store(1, std::memory_order_relaxed);
  });
}

void http_session::expect_progress() {
  auto due = std::chrono::steady_clock::now() + limits_.idle_timeout;
  progress_due_ns_.store(due.time_since_epoch().count(), std::memory_order_relaxed);
}

void http_session::look_for_peer(std::chrono::steady_clock::time_point now) {
  if (now.time_since_epoch().count() >= progress_due_ns_.load(std::memory_order_relaxed)) {
    asio::post(socket_.get_executor(), [weak = weak_from_this()] {
      if (auto self = weak.lock())
        self->in_turn([&] { self->close_if_idle(); });
    });
  }
  std::uint8_t fresh = 1;
  if (watched_.load(std::memory_order_relaxed) == 0
      || watched_.compare_exchange_strong(fresh, 2, std::memory_order_relaxed))
    return;
  // Not to be its last owner: it would end under the lock of the caller.
  asio::post(socket_.get_executor(), [weak = weak_from_this()] {
    if (auto self = weak.lock())
      self->in_turn([&] { self->tell_if_gone(); });
  });
}

// Something may have come meanwhile.
void http_session::close_if_idle() {
  auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  if (now >= progress_due_ns_.load(std::memory_order_relaxed))
    close_socket();
}

// Bytes that wait to be read are the next request, and hide an end behind them: then the caller's
// work simply runs to its end.
void http_session::tell_if_gone() {
  if (!gone_ || phase_ != phase::handling)
    return;
  char next = 0;
  auto size = ::recv(socket_.native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT);
  if (size > 0 || (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)))
    return;
  watched_.store(0, std::memory_order_relaxed);
  callout_.call = std::exchange(gone_, nullptr);
}

}  // namespace dim::gateway
