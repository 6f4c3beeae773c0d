#pragma once

#include "gateway/handlers/context.hpp"

namespace dim::gateway {

/// Adds `/stats` and `/api/v1/status` (the cluster's totals). `context` must outlive the routes.
void add_stats_routes(router& routes, const handler_context& context);

}  // namespace dim::gateway
