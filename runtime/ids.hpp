#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/random_source.hpp"

namespace dim::runtime {

/// Makes UUIDs of version 7 (RFC 9562) as text: 48 bits of time, a 12-bit counter, 62 random bits.
///
/// The ids of one source grow strictly, as text too, even when the clock stands still or goes
/// back. Two sources with the same seed and the same times make the same ids. Not to be shared
/// between threads.
class id_source {
public:
  explicit id_source(std::uint64_t seed) noexcept : random_(seed) {
  }

  /// The next id. `now_ms` is in milliseconds since the Unix epoch.
  std::string next(std::int64_t now_ms);

private:
  random_source random_;
  std::uint64_t last_ms_ = 0;
  std::uint32_t counter_ = 0;
};

/// Whether `text` is a UUID: 36 characters, lower-case hex digits with dashes in their places.
bool is_uuid(std::string_view text) noexcept;

/// The milliseconds since the Unix epoch that a version 7 UUID carries; 0 for any other text.
std::int64_t time_of_id(std::string_view id) noexcept;

}  // namespace dim::runtime
