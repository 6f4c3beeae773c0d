#pragma once

#include <cstdint>

#include "models/model_spec.hpp"
#include "models/tensor.hpp"
#include "runtime/errors.hpp"

namespace dim::gateway {

/// The classification extension: the best `classes` of each row of `scores`, in descending order,
/// as BYTES texts "value:index", or "value:index:label" where `spec` declares labels for this
/// output. A row is the whole tensor, or what one entry of the batch dimension holds when the model
/// batches. The shape is [rows, n], or [n] without a batch dimension; n is at most the size of a
/// row. Not a number counts as lowest. Errors: bad_input (scores that are no numbers).
runtime::expected<models::tensor> classify(const models::tensor& scores,
                                           const models::model_spec& spec, std::uint32_t classes);

}  // namespace dim::gateway
