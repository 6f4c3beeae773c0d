#pragma once

#include "actors/job/messages.hpp"
#include "actors/store/messages.hpp"
#include "gateway/json_writer.hpp"

namespace dim::gateway {

/// The answer to a submission that has made an array: its id, and those of its jobs in order.
void write_new_array(json_writer& out, const actors::submit_result& made);

/// An array as `GET /api/v1/arrays/{id}` shows it: how many of its jobs are in each state, and the
/// state of each. Its own status is `pending` while none has begun, `running` until the last one
/// ends, and then that of the worst: `failed`, `cancelled` or `completed`.
void write_array(json_writer& out, const actors::array_view& array);

}  // namespace dim::gateway
