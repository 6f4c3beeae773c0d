#pragma once

#include <string_view>

namespace dim::gateway {

/// The text of `gateway/openapi.json`: all routes as an OpenAPI 3.1 document. A test compares it
/// with the route table.
extern const std::string_view openapi_document;

}  // namespace dim::gateway
