#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace dim::gateway {

class http_session;

/// The connections that are open, for the limit on their number and for stopping. Thread-safe.
class session_set {
public:
  void enter(const std::shared_ptr<http_session>& session);
  void leave(http_session* session);

  std::size_t size() const;
  std::vector<std::shared_ptr<http_session>> all() const;

  /// Lets each session look whether the client that it works for is still there.
  void look_for_peers() const;

  /// Waits until no connection is left; false when there are some at `deadline`.
  bool wait_empty(std::chrono::steady_clock::time_point deadline) const;

private:
  mutable std::mutex mutex_;
  mutable std::condition_variable emptied_;
  std::map<http_session*, std::weak_ptr<http_session>> sessions_;
};

}  // namespace dim::gateway
