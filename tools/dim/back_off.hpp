#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

namespace dim::tools {

/// Pauses between the tries of one request: each twice the one before, up to a largest one, as long
/// as their time is not used up.
class back_off {
public:
  using milliseconds = std::chrono::milliseconds;
  using time_point = std::chrono::steady_clock::time_point;

  /// Nothing is tried again after `end`.
  explicit back_off(time_point end, milliseconds first = milliseconds{200},
                    milliseconds largest = milliseconds{5'000})
    : end_(end), next_(first), largest_(largest) {
  }

  /// The pause before the next try, at least `asked` (what the server asked for); empty when that
  /// is after the end.
  std::optional<milliseconds> next(time_point now, milliseconds asked = milliseconds{0}) {
    const auto pause = std::max(next_, asked);
    next_ = std::min(next_ * 2, largest_);
    if (now + pause > end_)
      return std::nullopt;
    return pause;
  }

private:
  time_point end_;
  milliseconds next_;
  milliseconds largest_;
};

}  // namespace dim::tools
