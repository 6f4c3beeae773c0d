#include "gateway/inference/served_model.hpp"

#include <algorithm>
#include <tuple>

namespace dim::gateway {

namespace {

/// A model, and the version that is wanted of it; empty: any that is ready.
struct served_target {
  std::string model;
  std::string version;
};

served_target resolve(const actors::served_models& models, const std::string& name,
                      const std::string& version) {
  auto alias = models.aliases.find(name);
  if (alias == models.aliases.end())
    return {name, version};
  return {alias->second.model, version.empty() ? alias->second.version : version};
}

}  // namespace

bool is_lower_version(const std::string& left, const std::string& right) noexcept {
  return std::tuple(left.size(), std::string_view{left})
         < std::tuple(right.size(), std::string_view{right});
}

const actors::served_version* find_served(const actors::served_models& models,
                                          const std::string& name, const std::string& version) {
  auto [model, wanted] = resolve(models, name, version);
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

runtime::expected<const actors::served_version*> find_ready(const actors::served_models& models,
                                                            const std::string& name,
                                                            const std::string& version) {
  using runtime::error_code;
  auto* found = find_served(models, name, version);
  if (found != nullptr && found->state == actors::serving_state::ready)
    return found;
  auto [model, wanted] = resolve(models, name, version);
  auto beginning = "Request for unknown model: '" + name + "' ";
  if (found != nullptr)
    return runtime::fail(error_code::unavailable,
                         beginning + "version " + wanted + " is not at ready state");
  if (!wanted.empty())
    return runtime::fail(error_code::model_not_found,
                         beginning + "version " + wanted + " is not found");
  auto is_known = std::any_of(models.versions.begin(), models.versions.end(),
                              [&model = model](auto& each) { return each.model.name == model; });
  if (!is_known)
    return runtime::fail(error_code::model_not_found, beginning + "is not found");
  return runtime::fail(error_code::unavailable, beginning + "has no available versions");
}

}  // namespace dim::gateway
