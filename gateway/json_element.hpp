#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

#include <simdjson.h>

namespace dim::gateway {

/// Reads a JSON number as the float nearest to its decimal text, rounded once. False for what is no
/// number, or is not finite as a float.
bool read_float(simdjson::ondemand::value value, float& result);

/// Reads one element of a tensor. False for a value of another kind, or out of the type's range.
template <class T>
bool read_element(simdjson::ondemand::value value, T& result) {
  using simdjson::SUCCESS;
  if constexpr (std::is_same_v<T, bool>) {
    return value.get_bool().get(result) == SUCCESS;
  } else if constexpr (std::is_same_v<T, float>) {
    return read_float(value, result);
  } else if constexpr (std::is_same_v<T, double>) {
    return value.get_double().get(result) == SUCCESS;
  } else if constexpr (std::is_same_v<T, std::uint64_t>) {
    return value.get_uint64().get(result) == SUCCESS;
  } else {
    std::int64_t wide = 0;
    if (value.get_int64().get(wide) != SUCCESS || !std::in_range<T>(wide))
      return false;
    result = static_cast<T>(wide);
    return true;
  }
}

/// What `read_element` takes, in words.
template <class T>
std::string words_for_element() {
  if constexpr (std::is_same_v<T, bool>)
    return "true or false";
  else if constexpr (std::is_floating_point_v<T>)
    return "a number that is finite in the datatype";
  else
    return "a whole number from " + std::to_string(std::numeric_limits<T>::min()) + " to "
           + std::to_string(std::numeric_limits<T>::max());
}

}  // namespace dim::gateway
