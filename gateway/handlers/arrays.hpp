#pragma once

#include "gateway/handlers/context.hpp"

namespace dim::gateway {

/// Adds the routes of job arrays: read and cancel. They are submitted, and their jobs are listed,
/// where single jobs are. An array is no job, since it has no result and no history of its own, and
/// so it has a path of its own. `context` must outlive the routes.
void add_array_routes(router& routes, const handler_context& context);

}  // namespace dim::gateway
