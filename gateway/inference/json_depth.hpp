#pragma once

#include <cstddef>
#include <string_view>

namespace dim::gateway {

/// Whether more than `depth_max` objects and arrays of JSON `text` stand inside each other. Works
/// on any bytes, without recursion.
bool is_deeper_than(std::string_view text, std::size_t depth_max) noexcept;

}  // namespace dim::gateway
