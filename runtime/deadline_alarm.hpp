#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>

namespace dim::runtime {

/// When an actor is to be woken for the earliest of its deadlines. Timers can not be cancelled, and
/// one that fires takes the actor off the thread on which its messages come: so there is no more
/// than one for each `grain`, and none while an earlier one is to come.
///
///     if (auto at = alarm.set(earliest_deadline_ns, now_ns))
///       ... have alarm.fire(*at) called at that time, then look at all deadlines,
///       and set the alarm to the earliest that is left ...
///
/// Pure; times are in nanoseconds of one clock.
class deadline_alarm {
public:
  /// A timer keeps the memory of its actor until it fires, also when that has ended: distant
  /// deadlines are looked at in steps.
  static constexpr std::int64_t look_max_ns = 5'000'000'000;

  /// Deadlines are noticed up to `grain_ns` late.
  explicit deadline_alarm(std::int64_t grain_ns = 1) : grain_ns_(grain_ns) {
  }

  /// When a timer has to fire for a deadline; none where one that runs is early enough.
  std::optional<std::int64_t> set(std::int64_t due_ns, std::int64_t now_ns) {
    auto wanted = std::clamp(due_ns, now_ns, now_ns + look_max_ns);
    auto at = (wanted + grain_ns_ - 1) / grain_ns_ * grain_ns_;
    if (!armed_.empty() && *armed_.begin() <= at)
      return std::nullopt;
    armed_.insert(at);
    return at;
  }

  /// The timer for `at_ns` has fired.
  void fire(std::int64_t at_ns) {
    armed_.erase(at_ns);
  }

private:
  std::int64_t grain_ns_;
  /// When the timers that run will fire.
  std::set<std::int64_t> armed_;
};

}  // namespace dim::runtime
