#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Durations as plans and reports write them.
namespace dim::scenario {

/// The milliseconds of "500ms", "2s", "1.5m" or "1h"; nothing for another form, for a fraction of
/// a millisecond, and for more than a year.
std::optional<std::int64_t> duration_from(std::string_view text) noexcept;

/// The shortest text that `duration_from` reads as `ms`: "90s", "2h", "1500ms".
std::string duration_text(std::int64_t ms);

}  // namespace dim::scenario
