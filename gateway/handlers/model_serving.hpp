#pragma once

#include "gateway/handlers/context.hpp"

namespace dim::gateway {

/// What the Open Inference Protocol tells of the server and of its models: metadata, readiness,
/// configuration and statistics.
void add_model_serving_routes(router& routes, const handler_context& context);

}  // namespace dim::gateway
