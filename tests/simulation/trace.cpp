#include "tests/simulation/trace.hpp"

namespace dim::simulation {

const trace::type_mark& trace::mark_of(caf::actor_system& system,
                                       const caf::type_erased_tuple& content) {
  auto type = runtime::type_of(content);
  auto found = types_.find(type);
  if (found != types_.end())
    return found->second;
  type_mark mark;
  mark.name = runtime::name_of(system, type);
  if (mark.name.empty())
    mark.name = "caf-" + std::to_string(type);
  trace one;
  one.mix(mark.name);
  mark.hash = one.hash();
  return types_.emplace(type, std::move(mark)).first->second;
}

void trace::mix_type(caf::actor_system& system, const caf::type_erased_tuple& content) {
  mix(mark_of(system, content).hash);
}

const std::string& trace::name_of(caf::actor_system& system,
                                  const caf::type_erased_tuple& content) {
  return mark_of(system, content).name;
}

void trace::line(std::int64_t now_us, const std::string& text) {
  if (out_ != nullptr)
    *out_ << now_us << " us  " << text << "\n";
}

}  // namespace dim::simulation
