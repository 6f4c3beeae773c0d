#pragma once

#include <caf/typed_actor.hpp>

#include "actors/cluster/messages.hpp"
#include "actors/engine/messages.hpp"
#include "actors/job/messages.hpp"
#include "actors/node/interface.hpp"

namespace dim::actors {

/// A node asks to become a member. Besides `agent_ready` the only message that carries a handle.
struct join_cluster {
  std::string cluster;
  std::uint32_t protocol = protocol_number;
  /// Random, new at every start of the node's process: tells a restarted node from a returning one.
  std::uint64_t incarnation = 0;
  node_facts facts;
  node_actor handle;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, join_cluster& x) {
  return f(x.cluster, x.protocol, x.incarnation, x.facts, x.handle);
}

/// REGISTRY tells SCHEDULER that a node may be used, or that its record has changed. The handle is
/// there as long as the node is a member.
struct node_updated {
  node_record record;
  node_actor handle;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_updated& x) {
  return f(x.record, x.handle);
}

/// REGISTRY tells SCHEDULER that a node is gone, with what was sent to that incarnation.
struct node_lost {
  std::string node_id;
  std::uint64_t incarnation = 0;
  std::string reason;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_lost& x) {
  return f(x.node_id, x.incarnation, x.reason);
}

/// How an execution ended, for the counts of its node. No reply.
struct execution_counted {
  std::string node_id;
  bool successful = false;
  /// `none` for a good end.
  runtime::error_code code = runtime::error_code::none;
  /// What it ran; a quarantined node is tried with it.
  std::string model;
  std::string version;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, execution_counted& x) {
  return f(x.node_id, x.successful, x.code, x.model, x.version);
}

/// Reputation changes of a finished job. No reply.
struct score_nodes {
  std::string job_id;
  std::vector<node_scored> scores;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, score_nodes& x) {
  return f(x.job_id, x.scores);
}

/// What waits and runs in SCHEDULER, for the status page.
struct get_schedule {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, get_schedule&) {
  return f();
}

struct schedule_status {
  std::uint32_t waiting = 0;
  std::uint32_t running = 0;
  bool paused = false;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, schedule_status& x) {
  return f(x.waiting, x.running, x.paused);
}

/// REGISTRY knows the nodes: membership, heartbeat, reputation, quarantine.
using registry_actor = caf::typed_actor<
  // Errors: protocol_mismatch, conflict (the id is a living node's with another incarnation).
  caf::replies_to<join_cluster>::with<join_accepted>, caf::reacts_to<node_heartbeat>,
  // Never fails.
  caf::replies_to<list_nodes>::with<node_list>,
  // Errors: not_found.
  caf::replies_to<get_node>::with<node_record>, caf::reacts_to<score_nodes>,
  caf::reacts_to<execution_counted>,
  // The end of a probe, from NODE through ENTRY.
  caf::reacts_to<execution_finished>,
  // Quarantine and drain by hand. Replies with the node as it is now. Errors: see the message.
  caf::replies_to<manage_node>::with<node_record>,
  // Sums of nodes, executions and jobs.
  caf::replies_to<get_cluster_status>::with<cluster_status>,
  // INTERNAL: looks for nodes that went silent.
  caf::reacts_to<caf::tick_atom>>;

/// SCHEDULER keeps the executions that wait, places them, and follows them until they end.
using scheduler_actor = caf::typed_actor<
  // From ENGINE; answered with execution_placed, _running and _ended messages to the sender.
  caf::reacts_to<place_executions>, caf::reacts_to<withdraw_execution>,
  // An ENGINE has crashed, or was stopped with the orchestrator.
  caf::reacts_to<engine_gone>,
  // From JOB: nodes may forget these.
  caf::reacts_to<executions_stored>,
  // Which nodes hold a cabinet now. Never fails.
  caf::replies_to<find_cabinet>::with<cabinet_nodes>,
  // From NODE, through ENTRY.
  caf::reacts_to<execution_started>, caf::reacts_to<execution_finished>,
  // From its RESULT_FETCH children.
  caf::reacts_to<outputs_fetched>,
  // From REGISTRY.
  caf::reacts_to<node_updated>, caf::reacts_to<node_lost>, caf::reacts_to<node_work>,
  // For benchmarks and maintenance: replies with the new state.
  caf::replies_to<pause_placement>::with<pause_placement>,
  caf::replies_to<get_schedule>::with<schedule_status>,
  // INTERNAL: looks for executions whose time is over.
  caf::reacts_to<caf::tick_atom>>;

}  // namespace dim::actors
