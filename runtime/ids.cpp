#include "runtime/ids.hpp"

#include <algorithm>
#include <array>

namespace dim::runtime {

namespace {

constexpr std::uint32_t counter_max = 0xfff;
constexpr std::string_view hex_digits = "0123456789abcdef";

bool is_dash_place(std::size_t place) noexcept {
  return place == 8 || place == 13 || place == 18 || place == 23;
}

int value_of_digit(char digit) noexcept {
  const auto place = hex_digits.find(digit);
  return place == std::string_view::npos ? -1 : static_cast<int>(place);
}

}  // namespace

std::string id_source::next(std::int64_t now_ms) {
  const auto now = static_cast<std::uint64_t>(std::max<std::int64_t>(now_ms, 0));
  if (now > last_ms_) {
    last_ms_ = now;
    // The upper bit stays free, so that at least 2,048 more ids fit into this millisecond.
    counter_ = static_cast<std::uint32_t>(random_.below((counter_max + 1) / 2));
  } else if (++counter_ > counter_max) {
    ++last_ms_;
    counter_ = 0;
  }
  const std::uint64_t high = (last_ms_ << 16) | (7ULL << 12) | counter_;
  const std::uint64_t low = (random_.next() >> 2) | (1ULL << 63);
  std::string text(36, '-');
  std::size_t nibble = 0;
  for (std::size_t place = 0; place < text.size(); ++place) {
    if (is_dash_place(place))
      continue;
    const std::uint64_t word = nibble < 16 ? high : low;
    text[place] = hex_digits[(word >> (60 - 4 * (nibble % 16))) & 0xf];
    ++nibble;
  }
  return text;
}

bool is_uuid(std::string_view text) noexcept {
  if (text.size() != 36)
    return false;
  for (std::size_t place = 0; place < text.size(); ++place)
    if (is_dash_place(place) ? text[place] != '-' : value_of_digit(text[place]) < 0)
      return false;
  return true;
}

std::int64_t time_of_id(std::string_view id) noexcept {
  if (!is_uuid(id) || id[14] != '7')
    return 0;
  std::int64_t time = 0;
  for (const std::size_t place : std::array<std::size_t, 12>{0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12})
    time = (time << 4) | value_of_digit(id[place]);
  return time;
}

}  // namespace dim::runtime
