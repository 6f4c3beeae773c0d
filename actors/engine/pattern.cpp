#include "actors/engine/pattern.hpp"

#include <algorithm>

#include "actors/engine/chained.hpp"
#include "actors/engine/collaborative.hpp"
#include "actors/engine/comparative.hpp"
#include "actors/engine/replicated.hpp"
#include "actors/engine/single.hpp"

namespace dim::actors {

pattern_actions pattern_logic::cabinet_found(const cabinet_nodes&) {
  return {};
}

pattern_actions pattern_logic::outputs_loaded(place_id, runtime::expected<models::tensor_list>) {
  return {};
}

pattern_actions pattern_logic::step_stored(std::uint32_t) {
  return {};
}

pattern_actions pattern_logic::time_is_up() {
  return {give_up{{runtime::error_code::timeout, "the time of the job is over", {}}}};
}

std::unique_ptr<pattern_logic> make_pattern(const job_spec& spec) {
  switch (spec.kind) {
    case pattern::replicated:
      return std::make_unique<replicated_pattern>(spec);
    case pattern::collaborative:
      return std::make_unique<collaborative_pattern>(spec);
    case pattern::comparative:
      return std::make_unique<comparative_pattern>(spec);
    case pattern::chained:
      return std::make_unique<chained_pattern>(spec);
    case pattern::single:
      break;
  }
  return std::make_unique<single_pattern>(spec);
}

bool is_any_detached(const models::tensor_list& outputs) noexcept {
  return std::any_of(outputs.begin(), outputs.end(), [](auto& x) { return x.is_detached(); });
}

}  // namespace dim::actors
