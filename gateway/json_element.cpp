#include "gateway/json_element.hpp"

#include <bit>
#include <charconv>
#include <cmath>

namespace dim::gateway {

// By way of double this rounds twice, which matters only where the double lies just between two
// floats, or where floats are subnormal: then the text is read again.
bool read_float(simdjson::ondemand::value value, float& result) {
  double wide = 0;
  if (value.get_double().get(wide) != simdjson::SUCCESS)
    return false;
  result = static_cast<float>(wide);
  constexpr std::uint64_t dropped_bits = (1u << 29) - 1;
  constexpr std::uint64_t half_way = 1u << 28;
  auto is_tie = (std::bit_cast<std::uint64_t>(wide) & dropped_bits) == half_way;
  if (is_tie || (wide != 0 && std::abs(wide) < std::numeric_limits<float>::min())) {
    auto token = value.raw_json_token();
    std::from_chars(token.data(), token.data() + token.size(), result);
  }
  return std::isfinite(result);
}

}  // namespace dim::gateway
