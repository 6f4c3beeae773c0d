#pragma once

#include <caf/typed_actor.hpp>

#include "actors/engine/messages.hpp"
#include "actors/job/messages.hpp"

namespace dim::actors {

/// ENGINE runs one job's pattern: it asks SCHEDULER for executions, joins their answers, and tells
/// its JOB. Linked to its JOB.
using engine_actor = caf::typed_actor<
  // From SCHEDULER, in this order for every execution that was asked for.
  caf::reacts_to<execution_placed>, caf::reacts_to<execution_running>,
  caf::reacts_to<execution_ended>,
  // From JOB: withdraw everything and quit.
  caf::reacts_to<stop_engine>,
  // INTERNAL: the back-off of a slot is over.
  caf::reacts_to<retry_due>,
  // INTERNAL: the job's time, or that of its stragglers, may be over.
  caf::reacts_to<deadline_due>>;

}  // namespace dim::actors
