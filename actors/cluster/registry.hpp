#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "actors/cluster/interface.hpp"
#include "actors/cluster/liveness.hpp"
#include "actors/store/interface.hpp"
#include "config/options.hpp"
#include "runtime/actor_base.hpp"
#include "runtime/service.hpp"

namespace dim::actors {

struct registry_arguments {
  std::string cluster;
  /// Of this start of the orchestrator.
  std::uint64_t generation = 0;
  std::uint32_t heartbeat_ms = 1'000;
  liveness_limits limits;
  config::reputation_options reputation;
  runtime::service<scheduler_actor> scheduler;
  runtime::service<store_actor> store;
  runtime::service<queries_actor> queries;
};

/// Knows the nodes: who is a member, how each is, and what it is worth.
///
///   (stored) offline --join--> online <--> busy --silent--> suspect --silent, link down--> offline
///
/// A node is a member from its join until its link drops or it has been silent for `lost_ms`; each
/// such loss costs it reputation once. A join with another incarnation ends the older one first.
/// Records outlive restarts; whoever was a member then has to join again.
struct registry_state {
  static inline const char* name = "REGISTRY";
  using self_pointer = runtime::actor_self<registry_actor, registry_state>;

  void initialise(self_pointer pointer, registry_arguments values);

  caf::result<join_accepted> join(join_cluster& request);
  void note_heartbeat(node_heartbeat& news);
  void note_down(const caf::down_msg& news);
  node_list all() const;
  caf::result<node_record> find(const std::string& id) const;
  void score(const score_nodes& news);
  void count(const execution_counted& news);
  caf::result<cluster_status> status();
  void look_at_clock();
  std::string describe() const;

private:
  struct member {
    node_record record;
    /// Empty while the node is offline.
    node_actor handle;
    /// Counts or load that are not on disk yet.
    bool is_dirty = false;
  };

  void take_stored(stored_nodes& stored);
  void lose(member& node, const std::string& reason);
  void tell_scheduler(const member& node);
  /// Stores the node's row together with `events`.
  void save(member& node, std::vector<event> events);
  event event_of(const char* topic, const char* kind, const member& node, std::string detail) const;
  void sum_nodes(cluster_status& sums) const;

  self_pointer self = nullptr;
  registry_arguments arguments;
  /// Joins are refused until the stored records are here, so that no reputation is lost.
  bool is_loaded = false;
  std::int64_t started_at = 0;
  std::map<std::string, member> nodes;
};

/// REGISTRY, started by the root supervisor.
registry_actor::behavior_type registry(registry_state::self_pointer self,
                                       registry_arguments arguments);

}  // namespace dim::actors
