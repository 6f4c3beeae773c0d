#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "actors/cluster/node_record.hpp"
#include "models/tensor.hpp"
#include "runtime/errors.hpp"

/// Messages of REGISTRY. `join_cluster`, the only one with a handle, is in interface.hpp.
namespace dim::actors {

/// The version of every message between processes. A peer with another one is refused.
inline constexpr std::uint32_t protocol_number = 10;

struct join_accepted {
  /// Of the orchestrator's start; grows with each.
  std::uint64_t generation = 0;
  std::uint32_t heartbeat_ms = 1000;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, join_accepted& x) {
  return f(x.generation, x.heartbeat_ms);
}

/// An execution that a node has in hand: it waits or runs there, or its result is not acknowledged.
struct work_in_hand {
  std::string execution_id;
  std::uint32_t epoch = 0;
  bool finished = false;

  bool operator==(const work_in_hand&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, work_in_hand& x) {
  return f(x.execution_id, x.epoch, x.finished);
}

/// Entries of `work` in a heartbeat at the most.
inline constexpr std::size_t work_in_hand_max = 1'024;

/// Sent by NODE each heartbeat; no reply.
struct node_heartbeat {
  std::string node_id;
  std::uint64_t incarnation = 0;
  bool draining = false;
  node_load load;
  /// What the node has in hand, and whether that is all of it.
  std::vector<work_in_hand> work;
  bool work_is_complete = true;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_heartbeat& x) {
  return f(x.node_id, x.incarnation, x.draining, x.load, x.work, x.work_is_complete);
}

struct list_nodes {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, list_nodes&) {
  return f();
}

struct node_list {
  std::vector<node_record> nodes;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_list& x) {
  return f(x.nodes);
}

/// By id, unique id prefix, or name. Errors: not_found.
struct get_node {
  std::string id;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, get_node& x) {
  return f(x.id);
}

/// What an operator may want of a node.
enum class node_wish : std::uint8_t { quarantine, release, drain, undrain };
constexpr node_wish last_value(node_wish) noexcept {
  return node_wish::undrain;
}

/// Asks REGISTRY to keep a node from new work, or to give it work again. It is remembered, also for
/// a node that is offline, until the opposite is wished. Errors: not_found, bad_input (the id names
/// several nodes).
struct manage_node {
  std::string id;  ///< As in `get_node`.
  node_wish wish = node_wish::quarantine;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, manage_node& x) {
  return f(x.id, x.wish);
}

/// Totals for `/stats` and `/api/v1/status`.
struct get_cluster_status {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, get_cluster_status&) {
  return f();
}

struct cluster_status {
  std::string cluster;
  std::uint64_t generation = 0;
  std::int64_t started_at = 0;
  std::uint32_t nodes_online = 0;
  std::uint32_t nodes_busy = 0;
  std::uint32_t nodes_offline = 0;
  std::uint32_t cpu_cores = 0;
  std::uint64_t memory_bytes = 0;
  std::uint32_t executions_waiting = 0;
  std::uint32_t executions_running = 0;
  /// Indexed by job_state.
  std::vector<std::uint64_t> jobs_by_state;
  std::uint64_t executions_total = 0;
  std::uint64_t last_event = 0;
  bool read_only = false;
  bool placement_paused = false;
  /// Why the store only reads: `store_full` or `store_corrupt`.
  runtime::error_code store_health = runtime::error_code::none;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, cluster_status& x) {
  return f(x.cluster, x.generation, x.started_at, x.nodes_online, x.nodes_busy, x.nodes_offline,
           x.cpu_cores, x.memory_bytes, x.executions_waiting, x.executions_running, x.jobs_by_state,
           x.executions_total, x.last_event, x.read_only, x.placement_paused,
           x.store_health);
}

/// REGISTRY passes on to SCHEDULER what a member has in hand, as its heartbeat told. No reply.
struct node_work {
  std::string node_id;
  std::uint64_t incarnation = 0;
  std::vector<work_in_hand> work;
  bool is_complete = true;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_work& x) {
  return f(x.node_id, x.incarnation, x.work, x.is_complete);
}

/// RESULT_FETCH tells SCHEDULER that an execution's large outputs have come, each with the digest
/// it was sent under, or why they have not.
struct outputs_fetched {
  std::string execution_id;
  runtime::failure error;
  models::tensor_list outputs;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, outputs_fetched& x) {
  return f(x.execution_id, x.error, x.outputs);
}

}  // namespace dim::actors
