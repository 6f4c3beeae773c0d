#pragma once

#include <cstdint>
#include <exception>

#include "models/model_spec.hpp"
#include "models/tensor.hpp"
#include "runtime/errors.hpp"

namespace at {
class Tensor;
}  // namespace at

/// The crossing between our tensors and LibTorch's, which only the sources behind it see.
namespace dim::models {

/// Whether TorchScript has tensors of this type. Errors: unsupported (names the tensor).
runtime::expected<void> check_scalar_type(const tensor_spec& declared);

/// LibTorch's tensor over the bytes of `x`, which must outlive it and must not be written to.
/// Nothing is copied. Errors: unsupported (datatype), bad_input (detached, wrong size, a BOOL that
/// is neither 0 nor 1).
runtime::expected<at::Tensor> view_of(const tensor& x);

/// A zero tensor that fits `declared` with `rows` rows (no rows' dimension when `rows` is 0); every
/// dimension of any size is 1. Errors: unsupported (datatype).
runtime::expected<tensor> zeros_for(const tensor_spec& declared, std::int64_t rows);

/// Copies a result once, out of LibTorch and off its device, into the shape that clients see. The
/// digest stays empty. `rows` is what the first dimension must be, or 0 for a model without batch
/// dimension. Errors: bad_model (type or shape other than declared).
runtime::expected<tensor> copy_of(const at::Tensor& result, const tensor_spec& declared,
                                  std::int64_t rows);

/// What an exception of LibTorch means: `memory_limit` when memory ran out, else `otherwise`, with
/// the one line of its text that says what went wrong.
runtime::failure failure_of(const std::exception& thrown, runtime::error_code otherwise);

}  // namespace dim::models
