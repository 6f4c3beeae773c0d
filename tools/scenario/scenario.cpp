#include "tools/scenario/scenario.hpp"

#include "runtime/enum_names.hpp"

namespace dim::scenario {

namespace {

constexpr runtime::enum_names<12> action_names{
  "kill",      "stop", "drop",         "delay",         "duplicate", "corrupt",
  "partition", "slow", "wrong_result", "out_of_memory", "fill_disk", "clock_skew"};

}  // namespace

std::string_view to_string(fault_action value) noexcept {
  return runtime::name_of(action_names, value);
}

std::optional<fault_action> fault_action_from(std::string_view text) noexcept {
  return runtime::value_named<fault_action>(action_names, text);
}

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

}  // namespace dim::scenario
