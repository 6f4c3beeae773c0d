#pragma once

#include "gateway/handlers/context.hpp"

namespace dim::gateway {

/// Fault injection: `POST`, `GET` and `DELETE /api/v1/faults`. FAULTS answers, and refuses
/// everything with 403 unless `[faults] enabled` is set.
void add_fault_routes(router& routes, const handler_context& context);

}  // namespace dim::gateway
