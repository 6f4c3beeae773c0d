#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <thread>

namespace dim::runtime {

/// How busy this process is with requests that somebody waits for on a connection, as told by those
/// who count them, and whether others want its cores. Thread-safe. `Clock` is another one in tests
/// only, whose `yield` takes as long as they say.
template <class Clock>
class basic_traffic {
public:
  /// So many requests at once are few: some core is idle, and may as well look for work.
  static constexpr std::size_t few = 4;
  /// After this long without news there are none.
  static constexpr std::chrono::milliseconds recent{2};
  /// So long after there were many, few are but a gap between many.
  static constexpr std::chrono::milliseconds calm{2};
  /// Whoever keeps a core for so long computes, and serves no requests: threads of this process, or
  /// of its clients, that wait for each other do not.
  static constexpr std::chrono::milliseconds long_turn{2};
  /// After that, no core is given away for so long,
  static constexpr std::chrono::milliseconds shortest_pause{10};
  /// and for twice as long each time that it is told again soon, up to this: a kernel thread, or a
  /// halt of a virtual machine, takes a core once; who computes takes it whenever he can.
  static constexpr std::chrono::milliseconds longest_pause{160};

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

  /// Somebody who computes has lately been given a core. The kernel lets a thread that sleeps have
  /// its core back at once when it is woken, and one that has given it away only when the other's
  /// turn is over.
  bool is_core_wanted() const noexcept {
    return is_core_wanted(Clock::now());
  }

  /// Gives the calling thread's core to whoever can run there, unless it is wanted; whether it did.
  bool give_core_away() noexcept {
    auto before = Clock::now();
    if (is_core_wanted(before))
      return false;
    if constexpr (requires { Clock::yield(); })
      Clock::yield();
    else
      std::this_thread::yield();
    auto after = Clock::now();
    if (after - before >= long_turn)
      pause(after);
    return true;
  }

private:
  bool is_core_wanted(typename Clock::time_point now) const noexcept {
    return now.time_since_epoch()
           < typename Clock::duration{wanted_until_.load(std::memory_order_relaxed)};
  }

  void pause(typename Clock::time_point now) noexcept {
    // Another thread has met the same turn.
    if (is_core_wanted(now))
      return;
    typename Clock::duration last{pause_.load(std::memory_order_relaxed)};
    typename Clock::duration ended_at{wanted_until_.load(std::memory_order_relaxed)};
    auto is_again = now.time_since_epoch() - ended_at <= 2 * last;
    typename Clock::duration next = shortest_pause;
    if (is_again)
      next = std::min<typename Clock::duration>(2 * last, longest_pause);
    pause_.store(next.count(), std::memory_order_relaxed);
    wanted_until_.store((now + next).time_since_epoch().count(), std::memory_order_relaxed);
  }

  std::atomic<typename Clock::rep> noted_at_{0};
  std::atomic<typename Clock::rep> many_at_{0};
  std::atomic<typename Clock::rep> wanted_until_{0};
  /// The last pause.
  std::atomic<typename Clock::rep> pause_{0};
};

/// How a thread waits that will most likely be needed again soon: it looks for work for a moment
/// before it sleeps, and gives its core to whoever else can run between two looks. To wake a
/// sleeping thread takes its waker, and itself, 5 to 50 microseconds; to find one awake takes none.
///
/// That pays most while there is little to do. With much to do it takes time from those who work,
/// but whoever sleeps then has to be woken as well: so a thread looks for about as long as that
/// takes. In a process that has nothing to do it never looks, nor where others want the core.
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
  basic_spin_wait(std::chrono::microseconds limit, basic_traffic<Clock>& traffic)
    : limit_(limit), traffic_(traffic) {
  }

  /// Looks until `has_work()` says yes, or the time is over; whether there is work.
  template <class Look>
  bool look(Look has_work) const {
    if (limit_.count() == 0 || !traffic_.is_there() || traffic_.is_core_wanted())
      return false;
    auto end = Clock::now() + (traffic_.is_calm() ? limit_ : std::min(limit_, busy_limit));
    do {
      if (has_work())
        return true;
    } while (traffic_.give_core_away() && Clock::now() < end);
    return false;
  }

private:
  std::chrono::microseconds limit_;
  basic_traffic<Clock>& traffic_;
};

using traffic = basic_traffic<std::chrono::steady_clock>;
using spin_wait = basic_spin_wait<std::chrono::steady_clock>;

}  // namespace dim::runtime
