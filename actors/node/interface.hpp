#pragma once

#include <caf/typed_actor.hpp>

#include "actors/node/messages.hpp"
#include "actors/store/messages.hpp"

namespace dim::actors {

/// NODE is one machine's face to the cluster: queue, resources, cabinets, model cache. REGISTRY
/// monitors it as the sentinel of its process.
using node_actor = caf::typed_actor<
  // Queues and runs it. Always ends in one execution_finished, unless cancelled; a full queue ends at
  // once with `overloaded`. A known id with the same epoch is not run twice.
  caf::reacts_to<run_execution>,
  // Forgets the result. Unknown ids are ignored.
  caf::reacts_to<acknowledge_execution>,
  // Withdraws it. Unknown ids are ignored.
  caf::reacts_to<cancel_execution>,
  // From REGISTRY: join again.
  caf::reacts_to<rejoin_cluster>,
  // Bytes of an output that was too large for its message. Errors: not_found.
  caf::replies_to<fetch_chunk>::with<chunk>>;

}  // namespace dim::actors
