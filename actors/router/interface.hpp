#pragma once

#include <caf/typed_actor.hpp>

#include "actors/router/messages.hpp"

namespace dim::actors {

struct node_updated;
struct node_lost;

/// ROUTER runs direct inferences: it knows which versions are served and which nodes are there,
/// balances the load, and counts.
using router_actor = caf::typed_actor<
  // Replies when it is over; see the message for errors, which are told in the reply.
  caf::replies_to<run_inference>::with<inference_done>,
  // The same for many at once; those that end first are told ahead of the reply.
  caf::replies_to<run_inferences>::with<inferences_done>,
  // The caller is gone.
  caf::reacts_to<withdraw_inference>,
  // Errors: model_not_found.
  caf::replies_to<get_model_statistics>::with<model_statistics_list>,
  // From MODELS.
  caf::reacts_to<served_models>, caf::replies_to<prepare_model>::with<model_prepared>,
  caf::replies_to<retire_model>::with<model_retired>,
  // The last direct inferences, without their tensors. Never fails.
  caf::replies_to<get_inference_records>::with<inference_record_list>,
  // From AGENT: answers ahead of a node's reply.
  caf::reacts_to<infer_results>,
  // From REGISTRY: nodes come, change and go.
  caf::reacts_to<node_updated>, caf::reacts_to<node_lost>,
  // INTERNAL.
  caf::reacts_to<router_due>>;

/// RECORD WRITER appends records of inferences to a bounded file. Detached.
using record_writer_actor = caf::typed_actor<caf::reacts_to<write_records>>;

}  // namespace dim::actors
