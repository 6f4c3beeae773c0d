#pragma once

#include <string_view>

#include "tests/gateway/raw_client.hpp"

namespace dim::tests {

/// What of a request is kept; a longer one is cut off.
inline constexpr std::size_t recorded_request_max = 64 << 10;

/// Appends one exchange to the file that the environment variable DIM_EXCHANGES names, if it does:
/// `tests/gateway/contract` compares the file with the OpenAPI document. An exchange is a line of
/// four numbers (bytes of the request, status, bytes of the header fields, bytes of the body), then
/// the request, the fields as "name: value" lines, and the body.
void record_exchange(std::string_view request, const raw_reply& reply);

}  // namespace dim::tests
