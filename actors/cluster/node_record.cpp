#include "actors/cluster/node_record.hpp"

#include <algorithm>

#include "models/device.hpp"
#include "runtime/enum_names.hpp"

namespace dim::actors {

namespace {

constexpr runtime::enum_names<7> state_names{"joining", "online",      "busy",    "suspect",
                                             "offline", "quarantined", "draining"};

}  // namespace

std::string_view to_string(node_state value) noexcept {
  return runtime::name_of(state_names, value);
}

std::optional<node_state> node_state_from(std::string_view text) noexcept {
  return runtime::value_named<node_state>(state_names, text);
}

std::optional<std::uint32_t> gpu_of(const device_facts& device) {
  if (device.kind != "cuda")
    return std::nullopt;
  auto name = models::parse_device(device.name);
  return name ? std::optional{name->first} : std::nullopt;
}

bool has_gpu(const std::vector<device_facts>& devices) {
  return std::any_of(devices.begin(), devices.end(),
                     [](const device_facts& each) { return each.kind == "cuda"; });
}

std::string_view status_of(node_state value) noexcept {
  switch (value) {
    case node_state::online:
      return "online";
    case node_state::busy:
    case node_state::quarantined:
    case node_state::draining:
      return "busy";
    default:
      return "offline";
  }
}

}  // namespace dim::actors
