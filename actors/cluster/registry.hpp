#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "actors/cluster/interface.hpp"
#include "actors/cluster/liveness.hpp"
#include "actors/router/interface.hpp"
#include "actors/store/interface.hpp"
#include "config/options.hpp"
#include "runtime/actor_base.hpp"
#include "runtime/metrics.hpp"
#include "runtime/service.hpp"

namespace dim::actors {

struct registry_arguments {
  std::string cluster;
  /// Of this start of the orchestrator.
  std::uint64_t generation = 0;
  std::uint32_t heartbeat_ms = 1'000;
  liveness_limits limits;
  config::reputation_options reputation;
  config::registry_options quarantine;
  /// How long a node that is drained by hand lets running work end.
  std::uint32_t drain_ms = 30'000;
  runtime::service<scheduler_actor> scheduler;
  runtime::service<router_actor> router;
  runtime::service<store_actor> store;
  runtime::service<queries_actor> queries;
  /// For the models that probes run.
  runtime::service<models_actor> models;
};

/// Knows the nodes: who is a member, how each is, and what it is worth.
///
///   (stored) offline --join--> online <--> busy --silent--> suspect --silent, link down--> offline
///
/// A node is a member from its join until its link drops or it has been silent for `lost_ms`; each
/// such loss costs it reputation once, unless it drained or ended in order. A join with another
/// incarnation ends the older one first. Records outlive restarts; whoever was a member then has to
/// join again.
///
/// Beside these states a member may be `quarantined` (see quarantine.hpp: it gets probes, and no
/// other work) or `draining`; both are remembered while it is away.
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

  // registry_quarantine.cpp
  /// Sends probes that are due, and gives up those that are late.
  void watch_probes();
  void note_probe_finished(const execution_finished& news);
  caf::result<node_record> manage(const manage_node& order);

  std::string describe() const;

private:
  struct member {
    node_record record;
    /// Empty while the node is offline.
    node_actor handle;
    /// Counts or load that are not on disk yet.
    bool is_dirty = false;
    /// The probe under way; empty when there is none.
    std::string probe_id;
    std::int64_t probe_ends_at = 0;
    std::int64_t next_probe_at = 0;
  };

  void load();
  void take_stored(stored_nodes& stored);
  /// `in_order`: it said that it would go, which costs nothing.
  void lose(member& node, const std::string& reason, bool in_order = false);
  /// Tells SCHEDULER and ROUTER how the node is.
  void tell_of(const member& node);
  /// Stores the node's row together with `events`, now or as soon as the store takes them.
  void save(member& node, std::vector<event> events);
  /// Commits what is not on disk yet, one commit at a time, so that events keep their order. What
  /// STORE refuses is kept for the next look at the clock.
  void flush();
  event event_of(const char* topic, const char* kind, const member& node, std::string detail) const;
  void sum_nodes(cluster_status& sums) const;
  /// By id, unique id prefix, or name. Errors: not_found, bad_input.
  runtime::expected<const member*> look_up(const std::string& id) const;

  // registry_quarantine.cpp
  /// The state of a member whose heartbeats say `online`, or, when it is full, `busy`.
  static node_state standing_of(const node_record& record);
  /// Counts an outcome; begins quarantine when it is one failure too many.
  void note_outcome_of(member& node, const execution_counted& news);
  void quarantine(member& node, bool by_hand, const std::string& reason);
  void release(member& node, const std::string& reason);
  void drain(member& node, bool wanted);
  void begin_probe(member& node);
  void choose_any_model(const std::string& node_id, const std::string& probe_id);
  void send_probe(const std::string& node_id, const std::string& probe_id,
                  const model_entry& model);
  void end_probe(member& node, const runtime::failure& outcome);
  /// The member whose probe this is, or nullptr when it is over.
  member* prober_of(const std::string& node_id, const std::string& probe_id);

  self_pointer self = nullptr;
  registry_arguments arguments;
  /// Joins are refused until the stored records are here, so that no reputation is lost.
  bool is_loaded = false;
  std::int64_t started_at = 0;
  std::map<std::string, member> nodes;
  std::uint64_t probes_sent = 0;
  /// The last look at the clock. A long time without one is this process's own fault (it was
  /// stopped, or its machine slept), and until a little later no node is punished for its silence.
  std::int64_t looked_at = 0;
  std::int64_t lenient_until = 0;
  std::vector<event> unwritten;
  bool is_committing = false;
  /// STORE did not take the last commit.
  bool is_refused = false;
  runtime::counter lost_count = counter_of(runtime::metric::node_losses, {"lost"});
  runtime::counter left_count = counter_of(runtime::metric::node_losses, {"left"});
};

/// REGISTRY, started by the root supervisor.
registry_actor::behavior_type registry(registry_state::self_pointer self,
                                       registry_arguments arguments);

}  // namespace dim::actors
