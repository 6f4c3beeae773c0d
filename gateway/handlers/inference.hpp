#pragma once

#include "gateway/handlers/context.hpp"

namespace dim::gateway {

/// Direct inference, by the Open Inference Protocol and, with the same body, under
/// `/api/v1/inference/{model}`.
void add_inference_routes(router& routes, const handler_context& context);

}  // namespace dim::gateway
