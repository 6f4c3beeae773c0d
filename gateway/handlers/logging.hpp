#pragma once

#include "config/options.hpp"
#include "gateway/handlers/context.hpp"

namespace dim::gateway {

/// The logging extension of the Open Inference Protocol, for the log of this process. `options`
/// say where it goes, which can not be changed.
void add_logging_routes(router& routes, const handler_context& context,
                        const config::log_options& options);

}  // namespace dim::gateway
