#pragma once

#include <algorithm>
#include <cstdint>

namespace dim::runtime {

/// What is left of somebody's time. Clocks of different processes differ, so messages carry the
/// time that is left (`time_left_ms`), and the receiver counts from their arrival by its own clock.
/// Times are nanoseconds of that clock (`clock_ns`).
class time_budget {
public:
  /// `time_left_ms` from `now_ns` on; what is beyond 100 years is cut off.
  time_budget(std::uint64_t time_left_ms, std::int64_t now_ns) noexcept
    : end_ns_(now_ns + static_cast<std::int64_t>(std::min(time_left_ms, longest_ms)) * 1'000'000) {
  }

  /// Milliseconds left at `now_ns`, rounded down; 0 when it is over.
  std::uint64_t left_ms(std::int64_t now_ns) const noexcept {
    return is_over(now_ns) ? 0 : static_cast<std::uint64_t>(end_ns_ - now_ns) / 1'000'000;
  }

  bool is_over(std::int64_t now_ns) const noexcept {
    return now_ns >= end_ns_;
  }

  /// The same, but no more than `limit_ms` from `now_ns` on.
  time_budget capped(std::uint64_t limit_ms, std::int64_t now_ns) const noexcept {
    return std::min(*this, time_budget{limit_ms, now_ns});
  }

  /// The moment at which it is over.
  std::int64_t end_ns() const noexcept {
    return end_ns_;
  }

  /// Which of the two ends first.
  auto operator<=>(const time_budget&) const = default;

private:
  static constexpr std::uint64_t longest_ms = 100ull * 365 * 24 * 3'600'000;

  std::int64_t end_ns_;
};

}  // namespace dim::runtime
