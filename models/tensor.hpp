#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/bytes.hpp"
#include "runtime/errors.hpp"

namespace dim::models {

/// Element types, with the names of the Open Inference Protocol.
enum class datatype : std::uint8_t {
  boolean, uint8, uint16, uint32, uint64, int8, int16, int32, int64, fp16, bf16, fp32, fp64, bytes,
};

/// "FP32", "INT64", "BYTES", "BOOL", ...
std::string_view to_string(datatype type) noexcept;
std::optional<datatype> datatype_from(std::string_view name) noexcept;

/// The highest value, by which a stored number is checked.
constexpr datatype last_value(datatype) noexcept {
  return datatype::bytes;
}

/// Bytes of one element; 0 for BYTES, whose elements have a length each.
std::size_t size_of(datatype type) noexcept;

/// A named array: little-endian, row-major bytes. The elements of BYTES are a 32-bit little-endian
/// length and the text, one after the other.
///
/// A tensor is *attached* when `data` holds its bytes, and *detached* when only `digest` and
/// `byte_size` name them: then they are fetched by digest from whoever keeps the blob.
struct tensor {
  std::string name;
  datatype type = datatype::fp32;
  std::vector<std::int64_t> shape;
  runtime::bytes data;
  /// SHA-256 of `data` in lower-case hex, set by whoever made the bytes; empty until then.
  std::string digest;
  std::uint64_t byte_size = 0;

  bool is_detached() const noexcept {
    return data.empty() && byte_size > 0;
  }
  bool operator==(const tensor&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, tensor& x) {
  return f(x.name, x.type, x.shape, x.data, x.digest, x.byte_size);
}

/// Tensors in the order of the model's inputs or outputs.
using tensor_list = std::vector<tensor>;

/// The number of elements that `shape` holds; a failure (`bad_input`) for a negative entry or a
/// product beyond 2^62.
runtime::expected<std::uint64_t> element_count(const std::vector<std::int64_t>& shape);

/// Makes an attached tensor, with `byte_size` and `digest` set.
tensor make_tensor(std::string name, datatype type, std::vector<std::int64_t> shape,
                   std::vector<char> data);

/// Checks that `data` holds exactly what `type` and `shape` ask for (BYTES: that its lengths add
/// up).
runtime::expected<void> check_size(const tensor& x);

/// The same tensor without its bytes: name, type, shape, digest and size only.
tensor detached(const tensor& x);

/// SHA-256 over all tensors in canonical form (name, type, shape, then data with -0 as +0 and every
/// NaN as the quiet NaN), sorted by name, as lower-case hex. Detached tensors contribute their
/// digest's bytes. This is the digest by which `exact` agreement compares.
std::string canonical_digest(const tensor_list& tensors);

}  // namespace dim::models
