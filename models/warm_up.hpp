#pragma once

#include <vector>

#include "models/model_spec.hpp"

/// What a model runs before it serves. Part of `dim::models_torch`.
namespace dim::models {

/// The wished requests, behind one of ours: two runs on zeros with one row, which is the least that
/// LibTorch needs to compile a program.
std::vector<warm_up_request> warm_up_requests(const model_spec& spec);

/// The inputs of a request: zeros, or numbers from 0 to 1 that are the same each time (whole
/// numbers are 0 or 1). Dims that neither the model nor the request fixes are 1. Errors: bad_input
/// (more rows than the model takes, dims other than declared), unsupported (datatype).
runtime::expected<tensor_list> warm_up_inputs(const model_spec& spec, const warm_up_request& wish);

}  // namespace dim::models
