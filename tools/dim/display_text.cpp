#include "tools/dim/display_text.hpp"

#include <algorithm>
#include <array>
#include <clocale>
#include <cstdio>
#include <cwchar>
#include <ctime>

namespace dim::tools {

namespace {


/// One character of a text: its bytes, and its code point (0 where they are not UTF-8).
struct character {
  std::string_view bytes;
  char32_t code = 0;
};

character first_of(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80)
    return {text.substr(0, 1), lead};
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length)
    return {text.substr(0, 1), 0};
  char32_t code = lead & (0x7f >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0) != 0x80)
      return {text.substr(0, 1), 0};
    code = (code << 6) | (next & 0x3f);
  }
  return {text.substr(0, length), code};
}

bool is_control(char32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200e && code <= 0x200f)
         || (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

std::size_t columns_of(character x) {
  static const bool has_locale = std::setlocale(LC_CTYPE, "C.UTF-8") != nullptr;
  const int width = has_locale ? wcwidth(static_cast<wchar_t>(x.code)) : 1;
  return width < 0 ? 1 : static_cast<std::size_t>(width);
}

std::string formatted(const char* format, double value) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), format, value);
  return buffer.data();
}

std::string two_units(std::int64_t whole, std::int64_t size, const char* large, const char* small) {
  return std::to_string(whole / size) + large + std::to_string(whole % size) + small;
}

}  // namespace

std::string cleaned(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const auto x = first_of(text);
    result += is_control(x.code) ? "?" : x.bytes;
    text.remove_prefix(x.bytes.size());
  }
  return result;
}

std::size_t columns_of(std::string_view text) {
  std::size_t result = 0;
  while (!text.empty()) {
    const auto x = first_of(text);
    result += columns_of(x);
    text.remove_prefix(x.bytes.size());
  }
  return result;
}

std::string cut(std::string_view text, std::size_t width) {
  if (columns_of(text) <= width)
    return std::string{text};
  std::string result;
  for (std::size_t used = 0; !text.empty();) {
    const auto x = first_of(text);
    used += columns_of(x);
    if (used + 1 > width)
      break;
    result += x.bytes;
    text.remove_prefix(x.bytes.size());
  }
  return width == 0 ? "" : result + "…";
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::array units = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < units.size(); ++unit)
    value /= 1024;
  return formatted(unit == 0 ? "%.0f " : "%.1f ", value) + units[unit];
}

std::string duration_text(std::int64_t milliseconds) {
  if (milliseconds < 1'000)
    return std::to_string(milliseconds) + " ms";
  const auto seconds = milliseconds / 1'000;
  if (seconds < 60)
    return formatted("%.1f s", static_cast<double>(milliseconds / 100) / 10);
  if (seconds < 3'600)
    return two_units(seconds, 60, " min ", " s");
  const auto minutes = seconds / 60;
  return minutes < 24 * 60 ? two_units(minutes, 60, " h ", " min")
                           : two_units(minutes / 60, 24, " d ", " h");
}

std::int64_t milliseconds_of(std::string_view time) {
  const std::string text{time};
  std::tm parts{};
  int milliseconds = 0;
  const int found = std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ", &parts.tm_year,
                                &parts.tm_mon, &parts.tm_mday, &parts.tm_hour, &parts.tm_min,
                                &parts.tm_sec, &milliseconds);
  if (found < 6)
    return 0;
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  return static_cast<std::int64_t>(timegm(&parts)) * 1'000 + milliseconds;
}

std::string time_text(std::string_view time, bool is_exact) {
  if (milliseconds_of(time) == 0)
    return std::string{time};
  auto result = std::string{time.substr(0, is_exact ? 23 : 19)};
  result[10] = ' ';
  return result;
}

std::vector<std::string> shortened(const std::vector<std::string>& ids) {
  auto sorted = ids;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  std::vector<std::string> result;
  for (const auto& id : ids) {
    auto length = id_length_min;
    const auto place = std::lower_bound(sorted.begin(), sorted.end(), id);
    const auto shared = [&id](const std::string& other) {
      const auto difference = std::mismatch(id.begin(), id.end(), other.begin(), other.end());
      return static_cast<std::size_t>(difference.first - id.begin()) + 1;
    };
    if (place != sorted.begin())
      length = std::max(length, shared(*std::prev(place)));
    if (std::next(place) != sorted.end())
      length = std::max(length, shared(*std::next(place)));
    result.push_back(id.substr(0, length));
  }
  return result;
}

std::string shortened(std::string_view id) {
  return std::string{id.substr(0, id_length_min)};
}

}  // namespace dim::tools
