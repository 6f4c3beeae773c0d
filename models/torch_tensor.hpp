#pragma once

#include <cstdint>
#include <exception>
#include <optional>

#include <torch/types.h>

#include "models/model_spec.hpp"
#include "models/tensor.hpp"
#include "runtime/errors.hpp"

/// The crossing between our tensors and LibTorch's. Included by sources of `dim::models_torch`
/// only.
namespace dim::models {

/// LibTorch's element type; nothing for those that TorchScript does not have.
std::optional<torch::ScalarType> scalar_type_of(datatype type) noexcept;

/// LibTorch's tensor over the bytes of `x`, which must outlive it and must not be written to.
/// Nothing is copied. Errors: unsupported (datatype), bad_input (detached, wrong size, a BOOL that
/// is neither 0 nor 1).
runtime::expected<torch::Tensor> view_of(const tensor& x);

/// A zero tensor that fits `declared` with `rows` rows (no rows' dimension when `rows` is 0); every
/// dimension of any size is 1. Errors: unsupported (datatype).
runtime::expected<tensor> zeros_for(const tensor_spec& declared, std::int64_t rows);

/// Copies a result once, out of LibTorch and off its device. The digest stays empty. `rows` is what
/// the first dimension must be, or 0 for a model without batch dimension. Errors: bad_model (type
/// or shape other than declared).
runtime::expected<tensor> copy_of(const torch::Tensor& result, const tensor_spec& declared,
                                  std::int64_t rows);

/// What an exception of LibTorch means: `memory_limit` when memory ran out, else `otherwise`, with
/// the one line of its text that says what went wrong.
runtime::failure failure_of(const std::exception& thrown, runtime::error_code otherwise);

}  // namespace dim::models
