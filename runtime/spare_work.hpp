#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>

namespace dim::runtime {

/// Work that its owner does soon, unless a thread that has nothing to do takes it first: under load
/// an HTTP thread offers the requests that it has read, and threads that have brought answers look
/// here before they sleep. So no core is idle while another has more than it can do, and no thread
/// is woken for it. Thread-safe.
class spare_work {
public:
  /// It throws nothing.
  using task = std::function<void()>;

  /// What waits at most.
  static constexpr std::size_t tasks_max = 64;
  /// What a helper does before it looks for its own work again. Their common work, in actors, is
  /// done once.
  static constexpr std::size_t help_max = 4;

  /// Whoever offers also calls `run_all` soon. Runs the task at once when too many wait.
  void offer(task work) {
    {
      std::lock_guard guard{mutex_};
      if (waiting_.size() < tasks_max) {
        waiting_.push_back(std::move(work));
        count_.store(waiting_.size(), std::memory_order_relaxed);
        return;
      }
    }
    work();
  }

  /// Runs what waits, until nothing does.
  void run_all() {
    while (run_one()) {
    }
  }

  /// Runs a few of those that wait; whether there was one.
  bool help() {
    std::size_t done = 0;
    while (done < help_max && run_one())
      ++done;
    return done > 0;
  }

private:
  bool run_one() {
    if (count_.load(std::memory_order_relaxed) == 0)
      return false;
    task work;
    {
      std::lock_guard guard{mutex_};
      if (waiting_.empty())
        return false;
      work = std::move(waiting_.front());
      waiting_.pop_front();
      count_.store(waiting_.size(), std::memory_order_relaxed);
    }
    work();
    return true;
  }

  std::mutex mutex_;
  std::deque<task> waiting_;
  /// Of those that wait; spares the lock where there are none.
  std::atomic<std::size_t> count_{0};
};

}  // namespace dim::runtime
