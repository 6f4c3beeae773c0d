#pragma once

#include "gateway/json_writer.hpp"
#include "models/tensor.hpp"

namespace dim::gateway {

/// Writes `x` as {"name", "datatype", "shape", "data"}, `data` flat in row-major order. Numbers
/// have the shortest text that reads back as the same value of the datatype.
///
/// JSON has no way to say FP16, BF16, NaN, infinity, or a text that is not UTF-8. A tensor that
/// holds any of them has "data_base64" instead of "data": its little-endian row-major bytes, with
/// "parameters": {"encoding": "base64", "reason": "..."} beside. A detached tensor has "data": null
/// with its "digest" and "byte_size".
void write_tensor(json_writer& out, const models::tensor& x);

/// Why JSON can not carry the elements of `x`, in words; empty when it can.
std::string_view reason_against_json(const models::tensor& x);

/// Writes the elements of `x`, which JSON must be able to carry, as a flat array in row-major
/// order.
void write_tensor_data(json_writer& out, const models::tensor& x);

/// Writes an array of tensors.
void write_tensors(json_writer& out, const models::tensor_list& tensors);

}  // namespace dim::gateway
