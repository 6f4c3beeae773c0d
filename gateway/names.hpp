#pragma once

#include <string_view>

namespace dim::gateway {

/// Whether `name` may name a job, tensor, cabinet or node: 1 to 255 bytes, no control characters,
/// no '/' and '\', and neither "." nor "..": names end up in paths and logs.
bool is_plain_name(std::string_view name) noexcept;

/// What `is_plain_name` asks for, in words.
inline constexpr std::string_view plain_name_words =
  "1 to 255 bytes without control or path characters";

}  // namespace dim::gateway
