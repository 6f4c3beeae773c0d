#pragma once

#include "gateway/handlers/context.hpp"

namespace dim::gateway {

/// GET /metrics, for Prometheus.
void add_metrics_routes(router& routes, const handler_context& context);

}  // namespace dim::gateway
