#include "models/numbers.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

namespace dim::models {

namespace {

template <class T>
tensor tensor_of(std::string name, datatype type, std::vector<std::int64_t> shape,
                 const std::vector<T>& values) {
  std::vector<char> data(values.size() * sizeof(T));
  if (!values.empty())
    std::memcpy(data.data(), values.data(), data.size());
  return make_tensor(std::move(name), type, std::move(shape), std::move(data));
}

}  // namespace

bool is_floating(datatype type) noexcept {
  return type == datatype::fp16 || type == datatype::bf16 || type == datatype::fp32
         || type == datatype::fp64;
}

double from_fp16(std::uint16_t bits) noexcept {
  const bool is_negative = (bits & 0x8000) != 0;
  const int exponent = (bits >> 10) & 0x1f;
  const int fraction = bits & 0x3ff;
  double magnitude = 0;
  if (exponent == 0x1f)
    magnitude = fraction == 0 ? std::numeric_limits<double>::infinity()
                              : std::numeric_limits<double>::quiet_NaN();
  else if (exponent == 0)
    magnitude = std::ldexp(fraction, -24);
  else
    magnitude = std::ldexp(fraction + 1024, exponent - 25);
  return is_negative ? -magnitude : magnitude;
}

double from_bf16(std::uint16_t bits) noexcept {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

runtime::expected<std::vector<double>> to_doubles(const tensor& x) {
  if (x.type == datatype::bytes)
    return runtime::fail(runtime::error_code::unsupported,
                         x.name + ": elements of BYTES are no numbers");
  if (auto checked = check_size(x); !checked)
    return tl::unexpected(checked.error());
  std::vector<double> values(x.data.size() / size_of(x.type));
  visit_datatype(x.type, [&](auto* type) {
    using element = std::remove_cv_t<std::remove_pointer_t<decltype(type)>>;
    for (std::size_t index = 0; index < values.size(); ++index) {
      element value;
      std::memcpy(&value, x.data.data() + index * sizeof(element), sizeof(element));
      values[index] = to_double(value);
    }
  });
  return values;
}

tensor tensor_of_doubles(std::string name, std::vector<std::int64_t> shape,
                         const std::vector<double>& values) {
  return tensor_of(std::move(name), datatype::fp64, std::move(shape), values);
}

tensor tensor_of_integers(std::string name, std::vector<std::int64_t> shape,
                          const std::vector<std::int64_t>& values) {
  return tensor_of(std::move(name), datatype::int64, std::move(shape), values);
}

}  // namespace dim::models
