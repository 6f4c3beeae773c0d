#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#include <doctest/doctest.h>

namespace dim::tests {

/// Where a thread of the program under test is held until the test lets it go, or for a minute at
/// the most. Open when it is made. Thread-safe.
class gate {
public:
  void close() {
    std::lock_guard guard{mutex_};
    is_open_ = false;
  }
  void open() {
    std::lock_guard guard{mutex_};
    is_open_ = true;
    changed_.notify_all();
  }

  /// For the program.
  void pass() {
    std::unique_lock guard{mutex_};
    ++held_;
    changed_.notify_all();
    changed_.wait_for(guard, std::chrono::minutes{1}, [this] { return is_open_; });
    --held_;
  }

  /// Waits until a thread is held.
  void wait_held() {
    std::unique_lock guard{mutex_};
    REQUIRE(changed_.wait_for(guard, std::chrono::seconds{20}, [this] { return held_ > 0; }));
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_open_ = true;
  int held_ = 0;
};

}  // namespace dim::tests
