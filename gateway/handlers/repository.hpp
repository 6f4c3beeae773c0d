#pragma once

#include "gateway/handlers/context.hpp"

namespace dim::gateway {

/// The model repository extension of the Open Inference Protocol (index, load, unload), and the
/// aliases of models under `/api/v1/aliases`.
void add_repository_routes(router& routes, const handler_context& context);

}  // namespace dim::gateway
