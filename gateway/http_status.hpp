#pragma once

#include "gateway/http_message.hpp"
#include "runtime/errors.hpp"

namespace dim::gateway {

/// The HTTP status of an error code: the one table in which the two meet.
unsigned http_status_of(runtime::error_code code) noexcept;

/// The answer to a request that failed: {"error", "code", "details"}, with `Retry-After` where
/// trying again may help. `status` 0: the one of the code.
http_reply failure_reply(const runtime::failure& what, unsigned status = 0);

/// An answer with a JSON body.
http_reply json_reply(std::string body, unsigned status = 200);

}  // namespace dim::gateway
