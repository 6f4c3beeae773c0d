#pragma once

#include <algorithm>

#include "config/options.hpp"

/// A node's score: starts at 100, +5 agreed, -10 disagreed, -20 lost, never below the floor. Pure;
/// replaying the `reputation_changed` events gives the same score.
namespace dim::actors {

/// The score after `points` are given or taken.
inline double reputation_after(double score, std::int32_t points,
                               const config::reputation_options& rules) {
  return std::max<double>(score + points, rules.floor);
}

}  // namespace dim::actors
