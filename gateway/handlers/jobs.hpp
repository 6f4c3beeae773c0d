#pragma once

#include "gateway/handlers/context.hpp"

namespace dim::gateway {

/// Adds the routes of jobs: submit, list, read, cancel, executions, history and placement.
/// `context` must outlive the routes.
void add_job_routes(router& routes, const handler_context& context);

}  // namespace dim::gateway
