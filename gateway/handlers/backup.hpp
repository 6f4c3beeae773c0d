#pragma once

#include "gateway/handlers/context.hpp"

namespace dim::gateway {

/// Adds `POST /api/v1/backup` (begin one: 202) and `GET /api/v1/backup` (how the last one is
/// doing). `context` must outlive the routes.
void add_backup_routes(router& routes, const handler_context& context);

}  // namespace dim::gateway
