#include "runtime/handshakes.hpp"

#include <sys/socket.h>

#include <utility>

namespace dim::runtime {

handshakes::ticket::ticket(std::shared_ptr<handshakes> home, std::uint64_t number)
  : home_(std::move(home)), number_(number) {
}

handshakes::ticket::ticket(ticket&& other) noexcept
  : home_(std::move(other.home_)), number_(std::exchange(other.number_, 0)) {
}

handshakes::ticket& handshakes::ticket::operator=(ticket&& other) noexcept {
  std::swap(home_, other.home_);
  std::swap(number_, other.number_);
  return *this;
}

handshakes::ticket::~ticket() {
  end();
}

void handshakes::ticket::end() {
  if (auto home = std::exchange(home_, nullptr))
    home->leave(number_);
}

bool handshakes::ticket::is_cut_off() const {
  return home_ && home_->is_cut_off(number_);
}

std::optional<std::uint64_t> handshakes::ticket::may_report(time_point now) const {
  return home_ ? home_->may_report(now) : 0;
}

handshakes::handshakes(std::size_t count_max, std::uint32_t timeout_ms)
  : count_max_(count_max), timeout_(timeout_ms) {
}

handshakes::ticket handshakes::begin(int socket, time_point now) {
  std::lock_guard guard{mutex_};
  expire_locked(now);
  auto standing = open_.size() + 1;
  for (auto i = open_.begin(); i != open_.end() && standing > count_max_; ++i, --standing)
    cut(i->second);
  open_.emplace(next_, entry{socket, now});
  return {shared_from_this(), next_++};
}

void handshakes::expire(time_point now) {
  std::lock_guard guard{mutex_};
  expire_locked(now);
}

void handshakes::expire_locked(time_point now) {
  for (auto& [number, each] : open_) {
    if (now - each.since < timeout_)
      return;
    cut(each);
  }
}

void handshakes::cut(entry& which) {
  if (std::exchange(which.is_cut_off, true))
    return;
  ++cut_off_;
  // Its owner sees the end of the stream, and closes it.
  ::shutdown(which.socket, SHUT_RDWR);
}

void handshakes::leave(std::uint64_t number) {
  std::lock_guard guard{mutex_};
  open_.erase(number);
}

bool handshakes::is_cut_off(std::uint64_t number) const {
  std::lock_guard guard{mutex_};
  auto found = open_.find(number);
  return found != open_.end() && found->second.is_cut_off;
}

std::optional<std::uint64_t> handshakes::may_report(time_point now) {
  std::lock_guard guard{mutex_};
  if (!second_ || now - *second_ >= std::chrono::seconds{1}) {
    second_ = now;
    reports_ = 0;
  }
  if (reports_ >= reports_max) {
    ++left_out_;
    return std::nullopt;
  }
  ++reports_;
  return std::exchange(left_out_, 0);
}

std::size_t handshakes::count() const {
  std::lock_guard guard{mutex_};
  return open_.size();
}

std::uint64_t handshakes::cut_off() const {
  std::lock_guard guard{mutex_};
  return cut_off_;
}

}  // namespace dim::runtime
