#pragma once

#include <optional>
#include <vector>

#include "gateway/handlers/context.hpp"

namespace dim::gateway {

/// Fetches the bytes of detached tensors by their digest, in chunks of 1 MiB with a few on the
/// way at once, and attaches them. `tensors` must stay where they are until `done` has run, which
/// is on the strand of the exchange. Failures: those of `fetch_chunk`; store_corrupt (the bytes
/// do not have their digest or size).
void fetch_tensors(const handler_context& context, const exchange_ptr& exchange,
                   std::vector<models::tensor*> tensors,
                   std::function<void(std::optional<runtime::failure>)> done);

}  // namespace dim::gateway
