#include "actors/cluster/liveness.hpp"

namespace dim::actors {

node_state state_after_silence(node_state state, std::int64_t silence_ms, liveness_limits limits) {
  if (state == node_state::offline)
    return state;
  if (silence_ms >= limits.lost_ms)
    return node_state::offline;
  auto stays = state == node_state::quarantined || state == node_state::draining;
  if (silence_ms >= limits.suspect_ms && !stays)
    return node_state::suspect;
  return state;
}

node_state state_after_heartbeat(node_state state, bool draining, std::uint32_t in_hand,
                                 std::uint32_t slots) {
  if (state == node_state::offline)
    return state;
  if (draining)
    return node_state::draining;
  if (state == node_state::quarantined)
    return state;
  return in_hand >= slots && slots > 0 ? node_state::busy : node_state::online;
}

}  // namespace dim::actors
