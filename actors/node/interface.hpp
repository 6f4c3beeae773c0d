#pragma once

#include <caf/typed_actor.hpp>

#include "actors/node/local_messages.hpp"
#include "actors/node/messages.hpp"
#include "actors/store/model_messages.hpp"

namespace dim::actors {

/// NODE is one machine's face to the cluster: queue, resources, cabinets, model cache. REGISTRY
/// monitors it as the sentinel of its process.
using node_actor = caf::typed_actor<
  // Queues and runs it. Always ends in one execution_finished, unless cancelled; a full queue ends
  // at once with `overloaded`. A known id with the same epoch is not run twice.
  caf::reacts_to<run_execution>,
  // Forgets the result. Unknown ids are ignored.
  caf::reacts_to<acknowledge_execution>,
  // Withdraws it. Unknown ids are ignored.
  caf::reacts_to<cancel_execution>,
  // From REGISTRY, when a heartbeat came from a node that it does not hold as a member: join again.
  caf::reacts_to<rejoin_cluster>,
  // From REGISTRY: an operator wants the node empty, or wants it to work again.
  caf::reacts_to<set_draining>,
  // Bytes of an output that was too large for its message. Errors: not_found.
  caf::replies_to<fetch_chunk>::with<chunk>,
  // From ROUTER: direct inferences; every failure is told in an answer, and those that end first
  // are told ahead of the reply.
  caf::replies_to<run_direct>::with<infer_results>, caf::reacts_to<withdraw_direct>,
  // From ROUTER; see the message for errors.
  caf::replies_to<set_agents>::with<agents_set>>;

/// NODE as its own process sees it.
using node_control_actor = node_actor::extend<
  // Takes no new work; replies when it is idle, or late. Never fails.
  caf::replies_to<drain_node>::with<node_drained>,
  // From AGENT, for a request of NODE's own: its forward has begun.
  caf::reacts_to<infer_started>,
  // From CABINET RUN.
  caf::reacts_to<cabinet_started>, caf::reacts_to<cabinet_finished>,
  // From CACHE and DEVICE.
  caf::reacts_to<cache_changed>, caf::reacts_to<device_changed>,
  // INTERNAL.
  caf::reacts_to<join_due>, caf::reacts_to<heartbeat_due>>;

/// CACHE keeps model files on this node's disk, and fetches models and blobs from the orchestrator.
using model_store_actor = caf::typed_actor<
  // See the messages for errors.
  caf::replies_to<acquire_model>::with<served_model>, caf::reacts_to<release_model>,
  caf::replies_to<fetch_blob>::with<fetched_blob>,
  // INTERNAL.
  caf::reacts_to<transfer_due>>;

/// DEVICE owns one GPU or core set: its memory, and the agents that are pinned to it.
using device_actor = caf::typed_actor<
  // Replies when AGENT does; see `infer` for errors, which are told in the reply.
  caf::replies_to<run_on_device>::with<infer_result>, caf::reacts_to<withdraw_on_device>,
  caf::replies_to<run_group_on_device>::with<infer_results>,
  // See the message for errors.
  caf::replies_to<serve_on_device>::with<agents_set>,
  // From AGENT: it may be stopped, or a worker of it serves.
  caf::reacts_to<agent_idle>, caf::reacts_to<agent_loaded>>;

/// CABINET RUN carries one collaborative execution over the rows of a cabinet, and quits at its
/// end.
using cabinet_run_actor = caf::typed_actor<
  // From NODE.
  caf::reacts_to<stop_cabinet_run>,
  // From AGENT: a forward has begun.
  caf::reacts_to<infer_started>,
  // INTERNAL.
  caf::reacts_to<cabinet_due>>;

}  // namespace dim::actors
