#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace dim::gateway {

/// `Content-Range` of a request that sends a part of a file, or asks how much of it has come (RFC
/// 9110, 14.4).
struct content_range {
  /// Where the part begins; `total` for a question.
  std::uint64_t first = 0;
  /// Of the part in bytes; 0 for a question.
  std::uint64_t length = 0;
  /// Of the whole file in bytes, at least 1.
  std::uint64_t total = 0;

  bool is_question() const noexcept {
    return length == 0;
  }
  bool operator==(const content_range&) const = default;
};

/// Reads "bytes FIRST-LAST/TOTAL", or the question "bytes */TOTAL". Empty for anything else:
/// another unit, an unknown total, a part that is empty or does not lie within the total.
std::optional<content_range> parse_content_range(std::string_view text);

}  // namespace dim::gateway
