#include "actors/engine/execution_record.hpp"

#include "runtime/enum_names.hpp"

namespace dim::actors {

namespace {

constexpr runtime::enum_names<6> state_names{"scheduled", "running", "completed",
                                             "failed",    "lost",    "cancelled"};

}  // namespace

std::string_view to_string(execution_state value) noexcept {
  return runtime::name_of(state_names, value);
}

std::optional<execution_state> execution_state_from(std::string_view text) noexcept {
  return runtime::value_named<execution_state>(state_names, text);
}

}  // namespace dim::actors
