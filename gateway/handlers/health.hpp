#pragma once

#include "gateway/handlers/context.hpp"

namespace dim::gateway {

/// Adds the routes of health. `/health/live` answers 200 as long as the process answers at all;
/// `/health/ready` answers 200 when jobs can be taken, else 503, with the reasons, also while an
/// actor of this process or of the orchestrator's is stuck; `/health` answers 200 with both, and
/// with what is worth knowing besides. `context` must outlive the routes.
void add_health_routes(router& routes, const handler_context& context);

}  // namespace dim::gateway
