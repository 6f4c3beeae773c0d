#include <algorithm>

#include "actors/store/serving_table.hpp"

namespace dim::actors {

using runtime::error_code;

namespace {

constexpr std::uint32_t depth_max = 8;

bool is_serving(const served_version& row) {
  return row.state == serving_state::ready;
}

}  // namespace

bool serving_table::is_ready(const std::string& name, const std::string& version,
                             std::uint32_t depth) const {
  const auto model = rows_.find(name);
  if (model == rows_.end() || depth >= depth_max)
    return false;
  for (auto each = model->second.rbegin(); each != model->second.rend(); ++each) {
    const served_version& row = each->second;
    if (!is_serving(row) || (!version.empty() && row.model.version != version))
      continue;
    const auto& steps = row.model.spec.steps;
    return std::all_of(steps.begin(), steps.end(), [&](const models::ensemble_step& step) {
      return is_ready(step.model, step.version, depth + 1);
    });
  }
  return false;
}

served_version serving_table::seen(const served_version& row) const {
  if (!is_serving(row))
    return row;
  for (const models::ensemble_step& step : row.model.spec.steps)
    if (!is_ready(step.model, step.version, 1))
      return {row.model, serving_state::unavailable,
              "the model '" + step.model + "' of one of its steps is not ready"};
  return row;
}

served_models serving_table::all() const {
  served_models result;
  for (const auto& [name, versions] : rows_)
    for (const auto& [number, row] : versions)
      result.versions.push_back(seen(row));
  for (const auto& [alias, target] : wishes_.aliases)
    result.aliases.emplace(alias, model_alias{target.model, target.version});
  return result;
}

runtime::expected<served_models> serving_table::find(const std::string& name) const {
  auto model = rows_.find(name);
  if (model == rows_.end())
    if (const auto alias = wishes_.aliases.find(name); alias != wishes_.aliases.end())
      model = rows_.find(alias->second.model);
  if (model == rows_.end())
    return runtime::fail(error_code::model_not_found,
                         "Request for unknown model: '" + name + "' is not found");
  served_models result;
  for (const auto& [number, row] : model->second)
    result.versions.push_back(seen(row));
  for (const auto& [alias, target] : wishes_.aliases)
    if (target.model == model->first)
      result.aliases.emplace(alias, model_alias{target.model, target.version});
  return result;
}

const model_entry* serving_table::entry(const std::string& name,
                                        const std::string& version) const {
  const auto model = rows_.find(name);
  if (model == rows_.end())
    return nullptr;
  if (version.empty())
    return &model->second.rbegin()->second.model;
  for (const auto& [number, row] : model->second)
    if (row.model.version == version)
      return &row.model;
  return nullptr;
}

runtime::expected<model_alias> serving_table::set_alias(const std::string& alias,
                                                        const model_alias& target) {
  if (target.model.empty()) {
    if (wishes_.aliases.erase(alias) == 0)
      return runtime::fail(error_code::model_not_found, "there is no alias '" + alias + "'");
    return model_alias{};
  }
  if (!models::is_model_name(alias))
    return runtime::fail(error_code::bad_input, "an alias is 1 to 128 letters, digits, '.', '_' "
                                                "and '-', first a letter or digit");
  if (!available(alias).empty())
    return runtime::fail(error_code::conflict, "a model has the name '" + alias + "'");
  const auto model = rows_.find(target.model);
  const bool is_there =
    model != rows_.end()
    && (target.version.empty()
        || std::any_of(model->second.begin(), model->second.end(), [&](const auto& row) {
             return row.second.model.version == target.version;
           }));
  if (!is_there)
    return runtime::fail(error_code::model_not_found,
                         "Request for unknown model: '" + target.model + "'"
                           + (target.version.empty() ? "" : " version " + target.version)
                           + " is not found");
  wishes_.aliases[alias] = {target.model, target.version};
  return target;
}

std::size_t serving_table::ready_count() const {
  std::size_t count = 0;
  for (const auto& [name, versions] : rows_)
    for (const auto& [number, row] : versions)
      count += is_serving(row) ? 1 : 0;
  return count;
}

}  // namespace dim::actors
