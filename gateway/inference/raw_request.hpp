#pragma once

#include <string_view>

#include "gateway/inference/inference_request.hpp"
#include "models/model_spec.hpp"
#include "runtime/errors.hpp"

namespace dim::gateway {

/// Makes the request that a raw binary body stands for: the whole body is the one input of the
/// model, with a batch of 1, and all outputs are wanted as binary data. The input of a model
/// `spec` may have one dimension of open size; a BYTES input must have the shape [1], and its text
/// has no length before it. Errors: bad_input.
runtime::expected<inference_request> read_raw_request(std::string_view body,
                                                      const models::model_spec& spec,
                                                      const std::string& model);

}  // namespace dim::gateway
