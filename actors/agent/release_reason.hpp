#pragma once

#include <cstdint>
#include <string_view>

namespace dim::actors {

/// Why a batch left its queue: it was full, had a preferred size, its oldest request had waited
/// long enough, the worker was idle, or its request is to run alone.
enum class release_reason : std::uint8_t { none, full, preferred, delay, idle, alone };

constexpr release_reason last_value(release_reason) noexcept {
  return release_reason::alone;
}

/// "full", "preferred", ...
std::string_view to_string(release_reason reason) noexcept;

}  // namespace dim::actors
