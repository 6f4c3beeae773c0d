#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace dim::runtime {

/// How a value stands in the database: the CRC-32C of its key and itself in 4 little-endian bytes,
/// then itself.
using value_sum = std::array<char, 4>;

/// The sum that stands before `value`.
value_sum sum_of(std::string_view key, std::string_view value);

/// The value in `stored`, unless its sum is wrong.
std::optional<std::string_view> checked_value(std::string_view key, std::string_view stored);

}  // namespace dim::runtime
