#pragma once

#include "actors/engine/execution_record.hpp"
#include "actors/store/event.hpp"
#include "gateway/json_writer.hpp"

namespace dim::gateway {

/// Writes one attempt, as `GET /api/v1/jobs/{id}/executions` lists it.
void write_execution(json_writer& out, const actors::execution_record& execution);

/// Writes why each node was or was not chosen for an attempt (`/placement`).
void write_placement(json_writer& out, const actors::execution_record& execution);

/// Writes one event of a job's history. `detail` is a JSON value, or null.
void write_event(json_writer& out, const actors::event& event);

}  // namespace dim::gateway
