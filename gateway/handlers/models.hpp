#pragma once

#include "gateway/handlers/context.hpp"

namespace dim::gateway {

/// Adds the routes of the catalogue: list, read, upload and remove models and versions. `context`
/// must outlive the routes.
void add_model_routes(router& routes, const handler_context& context);

}  // namespace dim::gateway
