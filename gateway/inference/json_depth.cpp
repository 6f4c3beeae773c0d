#include "gateway/inference/json_depth.hpp"

#include <algorithm>

namespace dim::gateway {

namespace {

bool opens(char c) noexcept {
  return c == '[' || c == '{';
}

/// The position behind the string that begins at `at`.
std::size_t skip_string(std::string_view text, std::size_t at) noexcept {
  for (++at; at < text.size() && text[at] != '"'; ++at)
    if (text[at] == '\\')
      ++at;
  return at + 1;
}

}  // namespace

bool is_deeper_than(std::string_view text, std::size_t depth_max) noexcept {
  // Most texts do not even have so many brackets, and this loop is much the faster one.
  if (static_cast<std::size_t>(std::count_if(text.begin(), text.end(), opens)) <= depth_max)
    return false;
  std::size_t depth = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '"') {
      at = skip_string(text, at);
      continue;
    }
    if (opens(text[at]) && ++depth > depth_max)
      return true;
    if ((text[at] == ']' || text[at] == '}') && depth > 0)
      --depth;
    ++at;
  }
  return false;
}

}  // namespace dim::gateway
