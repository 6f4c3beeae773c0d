#pragma once

#include "gateway/handlers/context.hpp"

namespace dim::gateway {

/// Adds the routes of nodes: list and read. `context` must outlive the routes.
void add_node_routes(router& routes, const handler_context& context);

}  // namespace dim::gateway
