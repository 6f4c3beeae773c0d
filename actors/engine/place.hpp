#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace dim::actors {

/// A place that a pattern fills with one answer: the replica, the voter, the participant or the
/// link. Several executions may be tried for one place; only the last one's outcome counts.
struct place_id {
  /// Index into the job's steps.
  std::uint32_t step = 0;
  std::uint32_t slot = 0;

  auto operator<=>(const place_id&) const = default;
};

/// Where a failed execution is tried again.
enum class retry_place : std::uint8_t {
  /// On a node that has not failed here yet.
  other_node,
  /// On the same node, because its data or its answers are there.
  same_node,
};

}  // namespace dim::actors
