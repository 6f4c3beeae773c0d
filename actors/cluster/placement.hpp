#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "actors/cluster/node_record.hpp"
#include "actors/engine/execution_record.hpp"
#include "actors/engine/messages.hpp"

/// Which node runs an execution: filters, then a score. Pure: no actor, no clock.
namespace dim::actors {

/// Executions that may be cancelled at a node between two of its heartbeats before it gets no more.
inline constexpr std::uint32_t cancelled_max = 64;

/// What SCHEDULER knows of a node at the moment of a placement.
struct candidate {
  node_record record;
  /// Executions that the node was given and has not ended.
  std::uint32_t in_flight = 0;
  /// Executions that may be in flight at once: its slots times `executions_per_slot`.
  std::uint32_t capacity = 0;
  /// Executions that were cancelled there since its last heartbeat. Each has made room for another
  /// one, and a node that has stalled would be sent them without end.
  std::uint32_t cancelled = 0;

  bool has_room() const noexcept {
    return in_flight < capacity && cancelled < cancelled_max;
  }
};

/// Candidates by node id, so that every walk over them has one order.
using candidate_map = std::map<std::string, candidate>;

/// The number of executions that may run on the node at once.
std::uint32_t slots_of(const node_facts& facts) noexcept;

/// Why the node can not run the request whatever it does now, in words; empty when it fits. A full
/// node fits.
std::string refusal_of(const execution_request& request, const node_record& node);

/// The terms and the score of a node that fits:
/// min(reputation, 200)/100 x free share of its capacity x 1.25 if it has the model.
candidate_score score_of(const execution_request& request, const candidate& node);

/// The outcome of placing a group.
struct placement {
  /// One node id a request, in the group's order; empty when the group was not placed.
  std::vector<std::string> node_ids;
  /// Every candidate with its terms or its refusal, a list for each request.
  std::vector<std::vector<candidate_score>> scores;
  /// Enough nodes fit, but too few have room: worth another try when one gets free.
  bool waits_for_room = false;
};

/// Places all of `group` on different nodes, or none. Among nodes that fit and have room the
/// highest score wins; ties go to the lower node id; an owner who already holds a replica of the
/// group (or is in `avoid_owners`) is taken only when no other owner fits. A node in a request's
/// `avoid` fits only with `may_fall_back`, and where no other node fits.
placement place_group(const std::vector<execution_request>& group, const candidate_map& nodes,
                      bool may_fall_back = true);

/// The refusals of a placement as "node <name>: <reason>", one a node.
std::vector<std::string> refusals_in_words(const std::vector<candidate_score>& scores);

}  // namespace dim::actors
