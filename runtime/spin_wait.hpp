#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <thread>

namespace dim::runtime {

/// How busy this process is with requests that somebody waits for on a connection, as told by those
/// who count them. Thread-safe. `Clock` is another one in tests only.
template <class Clock>
class basic_traffic {
public:
  /// So many requests at once are few: some core is idle, and may as well look for work.
  static constexpr std::size_t few = 4;
  /// After this long without news there are none.
  static constexpr std::chrono::milliseconds recent{2};
  /// So long after there were many, few are but a gap between many.
  static constexpr std::chrono::milliseconds calm{2};

  /// There are so many now, one at least.
  void note(std::size_t under_way) noexcept {
    auto now = Clock::now().time_since_epoch().count();
    noted_at_.store(now, std::memory_order_relaxed);
    if (under_way > few)
      many_at_.store(now, std::memory_order_relaxed);
  }

  /// There are, or have just been, some.
  bool is_there() const noexcept {
    auto now = Clock::now().time_since_epoch();
    typename Clock::duration noted_at{noted_at_.load(std::memory_order_relaxed)};
    return now - noted_at <= recent;
  }

  /// For a while there have been no more than few.
  bool is_calm() const noexcept {
    typename Clock::duration many_at{many_at_.load(std::memory_order_relaxed)};
    return Clock::now().time_since_epoch() - many_at > calm;
  }

private:
  std::atomic<typename Clock::rep> noted_at_{0};
  std::atomic<typename Clock::rep> many_at_{0};
};

/// How a thread waits that will most likely be needed again soon: it looks for work for a moment
/// before it sleeps, and gives its core to whoever else can run between two looks. To wake a
/// sleeping thread takes its waker, and itself, 5 to 50 microseconds; to find one awake takes none.
///
/// That pays most while there is little to do. With much to do it takes time from those who work,
/// but whoever sleeps then has to be woken as well: so a thread looks for about as long as that
/// takes. In a process that has nothing to do it never looks.
///
///     while (...)
///       if (!work() && !waiting.look([&] { return work(); }))
///         sleep_until_woken();
template <class Clock>
class basic_spin_wait {
public:
  /// How long to look at the most while there is much to do.
  static constexpr std::chrono::microseconds busy_limit{50};

  /// `limit`: how long to look; 0: never.
  basic_spin_wait(std::chrono::microseconds limit, const basic_traffic<Clock>& traffic)
    : limit_(limit), traffic_(traffic) {
  }

  /// Looks until `has_work()` says yes, or the time is over; whether there is work.
  template <class Look>
  bool look(Look has_work) const {
    if (limit_.count() == 0 || !traffic_.is_there())
      return false;
    auto end = Clock::now() + (traffic_.is_calm() ? limit_ : std::min(limit_, busy_limit));
    do {
      if (has_work())
        return true;
      std::this_thread::yield();
    } while (Clock::now() < end);
    return false;
  }

private:
  std::chrono::microseconds limit_;
  const basic_traffic<Clock>& traffic_;
};

using traffic = basic_traffic<std::chrono::steady_clock>;
using spin_wait = basic_spin_wait<std::chrono::steady_clock>;

}  // namespace dim::runtime
