#include "actors/agent/release_reason.hpp"

#include "runtime/enum_names.hpp"

namespace dim::actors {

namespace {

constexpr runtime::enum_names<6> release_names{"none",  "full", "preferred",
                                               "delay", "idle", "alone"};

}  // namespace

std::string_view to_string(release_reason reason) noexcept {
  return runtime::name_of(release_names, reason);
}

}  // namespace dim::actors
