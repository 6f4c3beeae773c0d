#pragma once

#include <caf/error.hpp>

#include "runtime/errors.hpp"

/// The way of a failure between actors: a `caf::error` of category "dim" whose context holds the
/// message and the details.
namespace dim::runtime {

/// Packs a failure for `caf::result`, `response_promise::deliver` or a request's error.
caf::error to_error(const failure& what);

/// Packs code and words.
caf::error to_error(error_code code, std::string message, std::vector<std::string> details = {});

/// Unpacks any error: those of `to_error` exactly; CAF's own as `timeout` (request timeout),
/// `unavailable` (receiver down, actor ended), `node_lost` (link gone), `protocol_mismatch`
/// (unexpected message) or `internal`, with CAF's words.
failure to_failure(const caf::error& what);

}  // namespace dim::runtime
