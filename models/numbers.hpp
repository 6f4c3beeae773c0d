#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "models/tensor.hpp"
#include "runtime/errors.hpp"

/// The elements of tensors as numbers, for the code that reduces, aggregates and compares them.
namespace dim::models {

/// Whether `type` is FP16, BF16, FP32 or FP64.
bool is_floating(datatype type) noexcept;

/// An element of FP16 or BF16 as it is stored.
enum class fp16_bits : std::uint16_t {};
enum class bf16_bits : std::uint16_t {};

/// The value of an IEEE half precision number.
double from_fp16(std::uint16_t bits) noexcept;

/// The value of a bfloat16 number.
double from_bf16(std::uint16_t bits) noexcept;

/// Calls `visit` with a null pointer of the C++ type that stores an element of `type`, so that the
/// caller can name that type: FP16 and BF16 are visited as `fp16_bits` and `bf16_bits`, BOOL as
/// `std::uint8_t`. Returns false, without a call, for BYTES.
template <class Visitor>
bool visit_datatype(datatype type, Visitor&& visit) {
  switch (type) {
    case datatype::boolean:
    case datatype::uint8:
      visit(static_cast<const std::uint8_t*>(nullptr));
      return true;
    case datatype::uint16:
      visit(static_cast<const std::uint16_t*>(nullptr));
      return true;
    case datatype::uint32:
      visit(static_cast<const std::uint32_t*>(nullptr));
      return true;
    case datatype::uint64:
      visit(static_cast<const std::uint64_t*>(nullptr));
      return true;
    case datatype::int8:
      visit(static_cast<const std::int8_t*>(nullptr));
      return true;
    case datatype::int16:
      visit(static_cast<const std::int16_t*>(nullptr));
      return true;
    case datatype::int32:
      visit(static_cast<const std::int32_t*>(nullptr));
      return true;
    case datatype::int64:
      visit(static_cast<const std::int64_t*>(nullptr));
      return true;
    case datatype::fp16:
      visit(static_cast<const fp16_bits*>(nullptr));
      return true;
    case datatype::bf16:
      visit(static_cast<const bf16_bits*>(nullptr));
      return true;
    case datatype::fp32:
      visit(static_cast<const float*>(nullptr));
      return true;
    case datatype::fp64:
      visit(static_cast<const double*>(nullptr));
      return true;
    case datatype::bytes:
      return false;
  }
  return false;
}

/// The stored element as a double: exact for everything but 64-bit integers beyond 2^53.
template <class T>
double to_double(T element) noexcept {
  if constexpr (std::is_same_v<T, fp16_bits>)
    return from_fp16(static_cast<std::uint16_t>(element));
  else if constexpr (std::is_same_v<T, bf16_bits>)
    return from_bf16(static_cast<std::uint16_t>(element));
  else
    return static_cast<double>(element);
}

/// All elements as doubles, in row-major order. Errors: unsupported (BYTES), bad_input (the size of
/// the data does not fit type and shape).
runtime::expected<std::vector<double>> to_doubles(const tensor& x);

/// An FP64 tensor of these values; `shape` must hold as many elements.
tensor tensor_of_doubles(std::string name, std::vector<std::int64_t> shape,
                         const std::vector<double>& values);

/// An INT64 tensor of these values; `shape` must hold as many elements.
tensor tensor_of_integers(std::string name, std::vector<std::int64_t> shape,
                          const std::vector<std::int64_t>& values);

}  // namespace dim::models
