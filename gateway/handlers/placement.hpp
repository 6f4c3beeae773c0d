#pragma once

#include "gateway/handlers/context.hpp"

namespace dim::gateway {

/// Adds `POST /api/v1/placement` {"paused": bool}: holds back, or lets go, the placement of new
/// executions, while jobs are still admitted. `context` must outlive the route.
void add_placement_routes(router& routes, const handler_context& context);

}  // namespace dim::gateway
