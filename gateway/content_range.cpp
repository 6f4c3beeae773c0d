#include "gateway/content_range.hpp"

#include <algorithm>
#include <charconv>

namespace dim::gateway {

namespace {

constexpr std::string_view unit = "bytes ";

/// Takes a whole number from the front of `text`.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{})
    return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool take(std::string_view& text, char expected) {
  if (!text.starts_with(expected))
    return false;
  text.remove_prefix(1);
  return true;
}

/// Takes `unit`, in whatever case: range units are compared without it.
bool take_unit(std::string_view& text) {
  const auto front = text.substr(0, unit.size());
  const auto is_equal = std::equal(front.begin(), front.end(), unit.begin(), unit.end(),
                                   [](char given, char lower) {
                                     return (given >= 'A' && given <= 'Z' ? given - 'A' + 'a'
                                                                          : given)
                                            == lower;
                                   });
  if (is_equal)
    text.remove_prefix(unit.size());
  return is_equal;
}

}  // namespace

std::optional<content_range> parse_content_range(std::string_view text) {
  if (!take_unit(text))
    return std::nullopt;
  const bool is_question = take(text, '*');
  std::optional<std::uint64_t> first{0};
  std::optional<std::uint64_t> last{0};
  if (!is_question) {
    first = take_number(text);
    if (!first || !take(text, '-'))
      return std::nullopt;
    last = take_number(text);
  }
  if (!last || !take(text, '/'))
    return std::nullopt;
  const auto total = take_number(text);
  if (!total || !text.empty() || *last < *first || *last >= *total)
    return std::nullopt;
  if (is_question)
    return content_range{*total, 0, *total};
  return content_range{*first, *last - *first + 1, *total};
}

}  // namespace dim::gateway
