#include "runtime/name_pattern.hpp"

#include <cstddef>

namespace dim::runtime {

bool fits(std::string_view pattern, std::string_view name) noexcept {
  // The last star seen, and the place in `name` from which its text is tried to end.
  auto star = std::string_view::npos;
  std::size_t retry = 0, at = 0, next = 0;
  while (at < name.size()) {
    if (next < pattern.size() && pattern[next] == '*') {
      star = next++;
      retry = at;
    } else if (next < pattern.size() && pattern[next] == name[at]) {
      ++next;
      ++at;
    } else if (star != std::string_view::npos) {
      next = star + 1;
      at = ++retry;
    } else {
      return false;
    }
  }
  while (next < pattern.size() && pattern[next] == '*')
    ++next;
  return next == pattern.size();
}

}  // namespace dim::runtime
