#pragma once

#include <cstdint>

#include "actors/cluster/node_record.hpp"

/// When a node counts as silent or gone. Pure.
namespace dim::actors {

struct liveness_limits {
  std::int64_t suspect_ms = 3'000;
  std::int64_t lost_ms = 10'000;
};

/// The state of a node that was in `state` and has been silent for `silence_ms`. `offline` stays
/// `offline` (only a join leaves it); `suspect` heals with the next heartbeat.
node_state state_after_silence(node_state state, std::int64_t silence_ms, liveness_limits limits);

/// The state that a heartbeat of a member leads to.
node_state state_after_heartbeat(node_state state, bool draining, std::uint32_t in_hand,
                                 std::uint32_t slots);

}  // namespace dim::actors
