#pragma once

#include "gateway/handlers/context.hpp"

namespace dim::gateway {

/// Reads job `id` (or a prefix of it) with its result, as `GET /api/v1/jobs/{id}` shows it:
///
/// 1. `get_job`; 2. with `wait_ms` and a job that is not terminal, `await_job`, then `get_job`
/// again; 3. the bytes of detached outputs, by `fetch_chunk`, a few chunks at a time.
///
/// Outputs beyond `context.result_bytes_max` in total stay detached. `done` runs on the strand of
/// the exchange.
void load_job_view(const handler_context& context, const exchange_ptr& exchange, std::string id,
                   std::uint32_t wait_ms,
                   std::function<void(runtime::expected<actors::job_view>)> done);

}  // namespace dim::gateway
