#include "gateway/session_set.hpp"

#include "gateway/http_session.hpp"

namespace dim::gateway {

void session_set::enter(const std::shared_ptr<http_session>& session) {
  std::lock_guard guard{mutex_};
  sessions_.emplace(session.get(), session);
}

void session_set::leave(http_session* session) {
  std::lock_guard guard{mutex_};
  sessions_.erase(session);
  if (sessions_.empty())
    emptied_.notify_all();
}

std::size_t session_set::size() const {
  std::lock_guard guard{mutex_};
  return sessions_.size();
}

std::vector<std::shared_ptr<http_session>> session_set::all() const {
  std::vector<std::shared_ptr<http_session>> result;
  std::lock_guard guard{mutex_};
  result.reserve(sessions_.size());
  for (auto& [session, weak] : sessions_)
    if (auto strong = weak.lock())
      result.push_back(std::move(strong));
  return result;
}

void session_set::look_for_peers() const {
  std::lock_guard guard{mutex_};
  auto now = std::chrono::steady_clock::now();
  // A session that ends leaves this set first, so the pointer is good as long as the lock is held.
  for (auto& [session, weak] : sessions_)
    session->look_for_peer(now);
}

bool session_set::wait_empty(std::chrono::steady_clock::time_point deadline) const {
  std::unique_lock guard{mutex_};
  return emptied_.wait_until(guard, deadline, [this] { return sessions_.empty(); });
}

}  // namespace dim::gateway
