#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/model_spec.hpp"

/// Tensors that the model sees in another shape than its clients (Triton's `reshape`): the bytes
/// are the same, only the shape is another.
namespace dim::models {

/// Why the model can not see `dims` as `reshape`, in words that name the field; empty: it can, or
/// there is no `reshape`. The open dims stand in both in the same number and order, with as many
/// elements before, between and behind them. An empty `reshape` is one element, and needs a batch
/// dimension.
std::string reshape_problem(const tensor_spec& declared, bool has_batch);

/// How the model sees a tensor that its clients see as `shape`, which fits the declaration. With
/// `has_batch`, the first dimension is the rows, and stays.
std::vector<std::int64_t> shape_for_model(const tensor_spec& declared,
                                          const std::vector<std::int64_t>& shape, bool has_batch);

/// Whether a tensor of this shape is one as the model sees it.
bool fits_model(const tensor_spec& declared, const std::vector<std::int64_t>& shape,
                bool has_batch);

/// The way back: how clients see a tensor that the model sees as `shape`, which fits.
std::vector<std::int64_t> shape_for_client(const tensor_spec& declared,
                                           const std::vector<std::int64_t>& shape, bool has_batch);

}  // namespace dim::models
