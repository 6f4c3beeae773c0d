#pragma once

#include "gateway/handlers/context.hpp"

namespace dim::gateway {

/// The event log, page by page: `GET /api/v1/events?after=N&limit=M`.
void add_event_routes(router& routes, const handler_context& context);

}  // namespace dim::gateway
