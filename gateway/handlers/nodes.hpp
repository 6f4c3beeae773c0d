#pragma once

#include "gateway/handlers/context.hpp"

namespace dim::gateway {

/// Adds the routes of nodes: list, read, and what an operator may want of one (quarantine, release,
/// drain, undrain). `context` must outlive the routes.
void add_node_routes(router& routes, const handler_context& context);

}  // namespace dim::gateway
