#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tools/scenario/scenario.hpp"

namespace dim::tools {

/// One blow of a fault of a plan.
struct strike {
  std::int64_t at_ms = 0;
  /// Index into the plan's faults.
  std::size_t fault = 0;
  /// How long it holds.
  std::int64_t lasts_ms = 0;
  /// Of the choice of its target, and of what it does.
  std::uint64_t seed = 0;

  bool operator==(const strike&) const = default;
};

/// All blows of a plan in the order of their time: the same for the same seed. A fault that holds
/// for long is struck again and again for a short while, so that it outlives restarts, and ends
/// soon after whoever renews it.
std::vector<strike> strikes_of(const scenario::scenario& plan);

/// Whether a fault holds, and is not over at once.
bool is_held(scenario::fault_action action) noexcept;

}  // namespace dim::tools
