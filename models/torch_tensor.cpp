#include "models/torch_tensor.hpp"

#include <algorithm>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <torch/types.h>

#include "models/reshape.hpp"
#include "runtime/copy_count.hpp"

namespace dim::models {

namespace {

using runtime::error_code;

tl::unexpected<runtime::failure> no_such_type(const std::string& name, datatype type) {
  return runtime::fail(error_code::unsupported,
                       name + ": TorchScript has no tensors of " + std::string{to_string(type)});
}

template <class Shape>
std::string shape_text(const Shape& shape) {
  std::string text = "[";
  for (std::size_t index = 0; index < shape.size(); ++index)
    text += (index == 0 ? "" : ", ") + std::to_string(shape[index]);
  return text + "]";
}

bool fits(const torch::IntArrayRef& shape, const std::vector<std::int64_t>& declared) {
  return std::equal(
    shape.begin(), shape.end(), declared.begin(), declared.end(),
    [](std::int64_t size, std::int64_t wanted) { return wanted == -1 || size == wanted; });
}

std::vector<std::int64_t> with_rows(std::vector<std::int64_t> shape, std::int64_t rows) {
  if (rows > 0)
    shape.insert(shape.begin(), rows);
  return shape;
}

/// TorchScript puts its traceback first and the reason last, behind "RuntimeError: "; other errors
/// begin with the reason and end with a C++ backtrace.
std::string reason_in(std::string_view text) {
  constexpr std::string_view marker = "RuntimeError: ";
  if (const std::size_t at = text.rfind(marker); at != std::string_view::npos)
    text.remove_prefix(at + marker.size());
  text = text.substr(0, text.find('\n'));
  return text.empty() ? "LibTorch gave no reason" : std::string{text};
}

bool tells_of_memory(std::string_view text) {
  for (const std::string_view words : {"out of memory", "can't allocate memory",
                                       "not enough memory"})
    if (text.find(words) != std::string_view::npos)
      return true;
  return false;
}

/// LibTorch's element type; nothing for those that TorchScript does not have.
std::optional<torch::ScalarType> scalar_type_of(datatype type) noexcept {
  switch (type) {
    case datatype::boolean:
      return torch::kBool;
    case datatype::uint8:
      return torch::kUInt8;
    case datatype::int8:
      return torch::kInt8;
    case datatype::int16:
      return torch::kInt16;
    case datatype::int32:
      return torch::kInt32;
    case datatype::int64:
      return torch::kInt64;
    case datatype::fp16:
      return torch::kHalf;
    case datatype::bf16:
      return torch::kBFloat16;
    case datatype::fp32:
      return torch::kFloat32;
    case datatype::fp64:
      return torch::kFloat64;
    default:
      return std::nullopt;
  }
}

}  // namespace

runtime::expected<void> check_scalar_type(const tensor_spec& declared) {
  if (!scalar_type_of(declared.type))
    return no_such_type(declared.name, declared.type);
  return {};
}

runtime::expected<torch::Tensor> view_of(const tensor& x) {
  const auto type = scalar_type_of(x.type);
  if (!type)
    return no_such_type(x.name, x.type);
  if (x.is_detached())
    return runtime::fail(error_code::bad_input, x.name + " came without its bytes");
  if (auto checked = check_size(x); !checked)
    return tl::unexpected(checked.error());
  const std::string_view data = x.data.view();
  if (x.type == datatype::boolean
      && std::any_of(data.begin(), data.end(), [](char c) { return c != 0 && c != 1; }))
    return runtime::fail(error_code::bad_input, x.name + ": a BOOL is neither 0 nor 1");
  if (data.empty())
    return torch::empty(x.shape, *type);
  return torch::from_blob(const_cast<char*>(data.data()), x.shape, *type);
}

runtime::expected<tensor> zeros_for(const tensor_spec& declared, std::int64_t rows) {
  if (auto checked = check_scalar_type(declared); !checked)
    return tl::unexpected(checked.error());
  std::vector<std::int64_t> shape = with_rows(declared.dims, rows);
  for (std::int64_t& dim : shape)
    dim = dim == -1 ? 1 : dim;
  const auto count = element_count(shape);
  if (!count)
    return tl::unexpected(count.error());
  tensor zeros;
  zeros.name = declared.name;
  zeros.type = declared.type;
  zeros.shape = std::move(shape);
  zeros.data = runtime::bytes{std::vector<char>(*count * size_of(declared.type))};
  zeros.byte_size = zeros.data.size();
  return zeros;
}

runtime::expected<tensor> copy_of(const torch::Tensor& result, const tensor_spec& declared,
                                  std::int64_t rows) {
  const auto type = scalar_type_of(declared.type);
  if (!type)
    return no_such_type(declared.name, declared.type);
  if (result.scalar_type() != *type)
    return runtime::fail(error_code::bad_model, "output " + declared.name + ": "
                                                  + std::string{to_string(declared.type)}
                                                  + " is declared, but the model gives "
                                                  + c10::toString(result.scalar_type()));
  const std::vector<std::int64_t> wanted = with_rows(declared.model_dims(), rows);
  if (!fits(result.sizes(), wanted))
    return runtime::fail(error_code::bad_model, "output " + declared.name + ": the shape "
                                                  + shape_text(wanted)
                                                  + " is declared, but the model gives "
                                                  + shape_text(result.sizes()));
  const torch::Tensor dense = result.to(torch::kCPU).contiguous();
  const auto* begin = static_cast<const char*>(dense.data_ptr());
  tensor copy;
  copy.name = declared.name;
  copy.type = declared.type;
  copy.shape = shape_for_client(declared, dense.sizes().vec(), rows > 0);
  copy.data = runtime::bytes{std::vector<char>(begin, begin + dense.nbytes())};
  runtime::note_copy(runtime::copy_place::model_output, copy.data.size());
  copy.byte_size = copy.data.size();
  return copy;
}

runtime::failure failure_of(const std::exception& thrown, runtime::error_code otherwise) {
  const std::string_view text = thrown.what();
  const bool is_memory =
    dynamic_cast<const std::bad_alloc*>(&thrown) != nullptr || tells_of_memory(text);
  return {is_memory ? error_code::memory_limit : otherwise, reason_in(text), {}};
}

}  // namespace dim::models
