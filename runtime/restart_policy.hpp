#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "runtime/random_source.hpp"

/// The decisions of a supervisor, without actors: whether to restart, whom, in which order, and
/// when. The semantics are those of Erlang/OTP's supervisors, with a back-off.
namespace dim::runtime {

/// When a child that ended is started again.
enum class restart_kind : std::uint8_t {
  permanent,  ///< Always.
  transient,  ///< When it ended with an error.
  temporary,  ///< Never.
};

/// Who is restarted with a child that ended.
enum class restart_strategy : std::uint8_t {
  one_for_one,   ///< Nobody else.
  one_for_all,   ///< All children.
  rest_for_one,  ///< Those that were started after it.
};

/// How often, and how fast.
struct restart_limits {
  /// More restarts than this within `window_ms`, all children together, and the supervisor gives
  /// up.
  std::uint32_t restarts_max = 5;
  std::uint32_t window_ms = 60'000;
  /// The pause before a child's first restart; it doubles with each further failure, up to
  /// `backoff_max_ms`. A child that ran for `window_ms` begins anew.
  std::uint32_t backoff_ms = 100;
  std::uint32_t backoff_max_ms = 5'000;
};

/// Whether a child of this kind is started again.
bool is_restarted(restart_kind kind, bool ended_with_error) noexcept;

/// The pause before failure number `failures` (1 for the first) is mended: between half and all of
/// the doubled and capped back-off, evenly spread.
std::uint32_t backoff_of(std::uint32_t first_ms, std::uint32_t max_ms, std::uint32_t failures,
                         random_source& random) noexcept;

/// Counts restarts within a sliding window.
class restart_window {
public:
  explicit restart_window(restart_limits limits) : limits_(limits) {
  }

  /// Notes one restart; false when that is one too many. Times must not go back.
  bool note(std::int64_t now_ms);

private:
  restart_limits limits_;
  std::deque<std::int64_t> restarts_;
};

/// What to do about a child that ended.
struct restart_plan {
  /// Indexes of children to stop, in this order (the last started first), unless they ended too.
  std::vector<std::size_t> stop;
  /// Indexes of children to start, in this order; the failed child is among them.
  std::vector<std::size_t> start;
};

/// The plan for child `failed` of `count` children, which were started in the order of their
/// indexes.
restart_plan plan_restart(restart_strategy strategy, std::size_t count, std::size_t failed);

}  // namespace dim::runtime
