#include "models/tensor.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "runtime/digest.hpp"

namespace dim::models {

namespace {

struct type_description {
  std::string_view name;
  std::size_t size;
};

/// In the order of `datatype`.
constexpr std::array<type_description, 14> types{{
  {"BOOL", 1},
  {"UINT8", 1},
  {"UINT16", 2},
  {"UINT32", 4},
  {"UINT64", 8},
  {"INT8", 1},
  {"INT16", 2},
  {"INT32", 4},
  {"INT64", 8},
  {"FP16", 2},
  {"BF16", 2},
  {"FP32", 4},
  {"FP64", 8},
  {"BYTES", 0},
}};

constexpr std::uint64_t elements_max = std::uint64_t{1} << 62;
constexpr std::size_t length_prefix = 4;

/// Sign, infinity and quiet NaN of one floating-point format, as bits.
template <class Bits>
struct float_format {
  Bits sign;
  Bits infinity;
  Bits quiet_nan;
};

constexpr float_format<std::uint16_t> fp16_format{0x8000, 0x7c00, 0x7e00};
constexpr float_format<std::uint16_t> bf16_format{0x8000, 0x7f80, 0x7fc0};
constexpr float_format<std::uint32_t> fp32_format{0x80000000, 0x7f800000, 0x7fc00000};
constexpr float_format<std::uint64_t> fp64_format{0x8000000000000000, 0x7ff0000000000000,
                                                  0x7ff8000000000000};

/// Hashes floating-point data with -0 as +0 and every NaN as the quiet one, a block at a time, so
/// that the tensor's own bytes stay as they are.
template <class Bits>
void hash_floats(runtime::sha256_hasher& hasher, std::string_view data,
                 const float_format<Bits>& format) {
  std::array<Bits, 4096> block;
  while (!data.empty()) {
    const std::size_t bytes = std::min(data.size(), sizeof(block));
    std::memcpy(block.data(), data.data(), bytes);
    for (std::size_t index = 0; index < bytes / sizeof(Bits); ++index) {
      const Bits value = block[index];
      const Bits magnitude = static_cast<Bits>(value & static_cast<Bits>(~format.sign));
      if (magnitude == 0)
        block[index] = 0;
      else if (magnitude > format.infinity)
        block[index] = format.quiet_nan;
    }
    hasher.update(block.data(), bytes);
    data.remove_prefix(bytes);
  }
}

void hash_number(runtime::sha256_hasher& hasher, std::uint64_t number) {
  std::array<char, 8> bytes;
  for (std::size_t index = 0; index < bytes.size(); ++index)
    bytes[index] = static_cast<char>((number >> (8 * index)) & 0xff);
  hasher.update(bytes.data(), bytes.size());
}

/// Texts are hashed behind their length, so that no two headers run into the same bytes.
void hash_text(runtime::sha256_hasher& hasher, std::string_view text) {
  hash_number(hasher, text.size());
  hasher.update(text);
}

void hash_data(runtime::sha256_hasher& hasher, const tensor& x) {
  const std::string_view data = x.data.view();
  hash_number(hasher, data.size());
  switch (x.type) {
    case datatype::fp16:
      return hash_floats(hasher, data, fp16_format);
    case datatype::bf16:
      return hash_floats(hasher, data, bf16_format);
    case datatype::fp32:
      return hash_floats(hasher, data, fp32_format);
    case datatype::fp64:
      return hash_floats(hasher, data, fp64_format);
    default:
      hasher.update(data);
  }
}

void hash_tensor(runtime::sha256_hasher& hasher, const tensor& x) {
  hash_text(hasher, x.name);
  hash_text(hasher, to_string(x.type));
  hash_number(hasher, x.shape.size());
  for (const std::int64_t dim : x.shape)
    hash_number(hasher, static_cast<std::uint64_t>(dim));
  hash_text(hasher, x.is_detached() ? "digest" : "data");
  if (x.is_detached())
    hash_text(hasher, x.digest);
  else
    hash_data(hasher, x);
}

std::uint32_t element_length(std::string_view data) noexcept {
  std::uint32_t length = 0;
  for (std::size_t index = 0; index < length_prefix; ++index)
    length |= static_cast<std::uint32_t>(static_cast<unsigned char>(data[index])) << (8 * index);
  return length;
}

runtime::expected<void> check_text_elements(const tensor& x, std::uint64_t count) {
  std::string_view rest = x.data.view();
  for (std::uint64_t index = 0; index < count; ++index) {
    if (rest.size() < length_prefix || rest.size() - length_prefix < element_length(rest))
      return runtime::fail(runtime::error_code::bad_input,
                           x.name + ": element " + std::to_string(index)
                             + " goes beyond the end of the data");
    rest.remove_prefix(length_prefix + element_length(rest));
  }
  if (!rest.empty())
    return runtime::fail(runtime::error_code::bad_input,
                         x.name + ": " + std::to_string(rest.size())
                           + " bytes follow the last element");
  return {};
}

}  // namespace

std::string_view to_string(datatype type) noexcept {
  return types[static_cast<std::size_t>(type)].name;
}

std::optional<datatype> datatype_from(std::string_view name) noexcept {
  for (std::size_t index = 0; index < types.size(); ++index)
    if (types[index].name == name)
      return static_cast<datatype>(index);
  return std::nullopt;
}

std::size_t size_of(datatype type) noexcept {
  return types[static_cast<std::size_t>(type)].size;
}

runtime::expected<std::uint64_t> element_count(const std::vector<std::int64_t>& shape) {
  bool is_empty = false;
  for (const std::int64_t dim : shape) {
    if (dim < 0)
      return runtime::fail(runtime::error_code::bad_input,
                           "a dimension of " + std::to_string(dim) + " is negative");
    is_empty = is_empty || dim == 0;
  }
  if (is_empty)
    return 0;
  std::uint64_t count = 1;
  for (const std::int64_t dim : shape) {
    if (static_cast<std::uint64_t>(dim) > elements_max / count)
      return runtime::fail(runtime::error_code::bad_input, "the shape holds too many elements");
    count *= static_cast<std::uint64_t>(dim);
  }
  return count;
}

tensor make_tensor(std::string name, datatype type, std::vector<std::int64_t> shape,
                   std::vector<char> data) {
  tensor result;
  result.name = std::move(name);
  result.type = type;
  result.shape = std::move(shape);
  result.data = runtime::bytes{std::move(data)};
  result.digest = runtime::sha256_hex(result.data.view());
  result.byte_size = result.data.size();
  return result;
}

runtime::expected<void> check_size(const tensor& x) {
  const auto count = element_count(x.shape);
  if (!count)
    return runtime::fail(runtime::error_code::bad_input, x.name + ": " + count.error().message);
  if (x.type == datatype::bytes)
    return check_text_elements(x, *count);
  const std::size_t size = size_of(x.type);
  if (x.data.size() % size != 0 || x.data.size() / size != *count)
    return runtime::fail(runtime::error_code::bad_input,
                         x.name + ": expected " + std::to_string(*count) + " elements of "
                           + std::to_string(size) + " bytes, got "
                           + std::to_string(x.data.size()) + " bytes");
  return {};
}

tensor detached(const tensor& x) {
  tensor result = x;
  result.data = {};
  if (!x.data.empty()) {
    result.byte_size = x.data.size();
    if (result.digest.empty())
      result.digest = runtime::sha256_hex(x.data.view());
  }
  return result;
}

std::string canonical_digest(const tensor_list& tensors) {
  std::vector<const tensor*> sorted;
  sorted.reserve(tensors.size());
  for (const tensor& each : tensors)
    sorted.push_back(&each);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const tensor* a, const tensor* b) { return a->name < b->name; });
  runtime::sha256_hasher hasher;
  hash_number(hasher, sorted.size());
  for (const tensor* each : sorted)
    hash_tensor(hasher, *each);
  return hasher.finish();
}

}  // namespace dim::models
