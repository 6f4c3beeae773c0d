#include "tools/scenario/scenario.hpp"

#include "runtime/enum_names.hpp"
#include "runtime/name_pattern.hpp"

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
  return runtime::fits(pattern, name);
}

}  // namespace dim::scenario
