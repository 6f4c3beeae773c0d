#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace dim::tools {

/// The time of a run, and its end. Thread-safe.
class run_clock {
public:
  /// Milliseconds since the run began.
  std::int64_t now_ms() const {
    const auto spent = std::chrono::steady_clock::now() - begin_;
    return std::chrono::duration_cast<std::chrono::milliseconds>(spent).count();
  }

  /// Waits for this time; false when the run is stopped before.
  bool wait_until(std::int64_t at_ms) {
    std::unique_lock guard{mutex_};
    return !stopped_.wait_until(guard, begin_ + std::chrono::milliseconds{at_ms},
                                [this] { return is_stopped_; });
  }
  bool wait_for(std::int64_t pause_ms) {
    return wait_until(now_ms() + pause_ms);
  }

  /// Ends every wait, now and later.
  void stop() {
    {
      std::lock_guard guard{mutex_};
      is_stopped_ = true;
    }
    stopped_.notify_all();
  }

private:
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool is_stopped_ = false;
};

}  // namespace dim::tools
