#include "tools/scenario/durations.hpp"

#include <array>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace dim::scenario {

namespace {

/// The largest first: a text is made with the first that divides.
constexpr std::array<std::pair<std::string_view, std::int64_t>, 4> units{
  {{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

constexpr double year_ms = 366.0 * 24 * 3'600'000;

}  // namespace

std::optional<std::int64_t> duration_from(std::string_view text) noexcept {
  const auto length = text.find_first_not_of("0123456789.");
  if (length == 0 || length == std::string_view::npos || length > 15 || text.front() == '.')
    return std::nullopt;
  const std::string digits{text.substr(0, length)};
  char* end = nullptr;
  const double number = std::strtod(digits.c_str(), &end);
  if (*end != '\0' || digits.back() == '.')
    return std::nullopt;
  for (const auto& [unit, unit_ms] : units) {
    if (text.substr(length) != unit)
      continue;
    const double ms = number * static_cast<double>(unit_ms);
    if (ms > year_ms || std::abs(ms - std::round(ms)) > 1e-6)
      return std::nullopt;
    return static_cast<std::int64_t>(std::llround(ms));
  }
  return std::nullopt;
}

std::string duration_text(std::int64_t ms) {
  for (const auto& [unit, unit_ms] : units)
    if (ms != 0 && ms % unit_ms == 0)
      return std::to_string(ms / unit_ms) + std::string{unit};
  return std::to_string(ms) + "ms";
}

}  // namespace dim::scenario
