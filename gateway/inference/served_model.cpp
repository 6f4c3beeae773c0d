#include "gateway/inference/served_model.hpp"

#include <tuple>

namespace dim::gateway {

bool is_lower_version(const std::string& left, const std::string& right) noexcept {
  return std::tuple(left.size(), std::string_view{left})
         < std::tuple(right.size(), std::string_view{right});
}

const actors::served_version* find_served(const actors::served_models& models,
                                          const std::string& name, const std::string& version) {
  auto model = name;
  auto wanted = version;
  if (auto alias = models.aliases.find(name); alias != models.aliases.end()) {
    model = alias->second.model;
    if (wanted.empty())
      wanted = alias->second.version;
  }
  const actors::served_version* best = nullptr;
  for (auto& each : models.versions) {
    if (each.model.name != model)
      continue;
    if (!wanted.empty() && each.model.version == wanted)
      return &each;
    auto is_ready = each.state == actors::serving_state::ready;
    if (wanted.empty() && is_ready
        && (best == nullptr || is_lower_version(best->model.version, each.model.version)))
      best = &each;
  }
  return best;
}

}  // namespace dim::gateway
