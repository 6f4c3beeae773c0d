#pragma once

#include <string_view>

#include "gateway/inference/body_framing.hpp"
#include "gateway/inference/inference_request.hpp"
#include "runtime/bytes.hpp"
#include "runtime/errors.hpp"

namespace dim::gateway {

/// Reads an inference request: `framed` are the parts of `body`, whose buffer has room behind its
/// end for the JSON parser, or is copied. Numbers go from the text straight into the tensors'
/// bytes, and no digests are made. Members and parameters that are not known are passed over; a
/// null counts as not given. Whether the model takes such inputs is not looked at, but that each
/// tensor holds as many bytes as its shape asks for is.
///
/// Stops at the first problem: bad_input, or unsupported (shared memory).
runtime::expected<inference_request> read_inference_request(const runtime::bytes& body,
                                                            const framed_body& framed,
                                                            std::string_view model);

}  // namespace dim::gateway
