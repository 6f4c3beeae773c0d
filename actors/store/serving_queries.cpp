// What others see of the serving table, and the other names of models.
#include <algorithm>

#include "actors/store/serving_rules.hpp"
#include "actors/store/serving_table.hpp"

namespace dim::actors {

using namespace serving_rules;
using runtime::error_code;

namespace {

bool is_serving(const served_version& row) {
  return row.state == serving_state::ready;
}

}  // namespace

std::uint32_t serving_table::height_of(const std::string& name, const std::string& version,
                                       heights& known) const {
  // Who is met again on the way to itself is in a circle, and never ready.
  const auto [height, is_new] = known.try_emplace({name, version}, 0);
  const auto model = rows_.find(name);
  if (!is_new || model == rows_.end())
    return height->second;
  const auto row
    = std::find_if(model->second.rbegin(), model->second.rend(), [&](const auto& each) {
        return is_serving(each.second)
               && (version.empty() || each.second.model.version == version);
      });
  if (row == model->second.rend())
    return 0;
  std::uint32_t highest = 0;
  for (const models::ensemble_step& step : row->second.model.spec.steps) {
    const std::uint32_t below = height_of(step.model, step.version, known);
    if (below == 0 || below >= depth_max)
      return 0;
    highest = std::max(highest, below);
  }
  height->second = highest + 1;
  return height->second;
}

bool serving_table::is_ready(const models::ensemble_step& step, heights& known) const {
  const std::uint32_t height = height_of(step.model, step.version, known);
  return height > 0 && height < depth_max;
}

bool serving_table::is_served(const model_entry& entry) const {
  const served_version* row = row_of(entry);
  return row != nullptr && is_serving(*row) && is_same_agent(row->model, entry);
}

served_version serving_table::seen(const served_version& row, heights& known) const {
  if (!is_serving(row))
    return row;
  for (const models::ensemble_step& step : row.model.spec.steps)
    if (!is_ready(step, known))
      return {row.model, serving_state::unavailable,
              "the model '" + step.model + "' of one of its steps is not ready"};
  return row;
}

served_models serving_table::all() const {
  served_models result;
  heights known;
  for (const auto& [name, versions] : rows_)
    for (const auto& [number, row] : versions)
      result.versions.push_back(seen(row, known));
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
    return unknown_model("'" + name + "'");
  served_models result;
  heights known;
  for (const auto& [number, row] : model->second)
    result.versions.push_back(seen(row, known));
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

runtime::expected<void> serving_table::check_alias(const std::string& alias,
                                                   const model_alias& target) const {
  if (!models::is_model_name(alias))
    return runtime::fail(error_code::bad_input, "an alias is 1 to 128 letters, digits, '.', '_' "
                                                "and '-', first a letter or digit");
  if (!available(alias).empty())
    return runtime::fail(error_code::conflict, "a model has the name '" + alias + "'");
  // Not by the rows: of a model that is gone they stay until its agents have ended.
  const entries& versions = available(target.model);
  if (versions.empty())
    return unknown_model("'" + target.model + "'");
  if (target.version.empty())
    return {};
  const std::string words = "'" + target.model + "' version " + target.version;
  const auto version = versions.find(number_of(target.version));
  if (!models::is_version(target.version) || version == versions.end())
    return unknown_model(words);
  const served_version* row = row_of(version->second);
  if (row != nullptr && is_serving(*row))
    return {};
  if (!wish_of(target.model).is_loaded)
    return runtime::fail(error_code::conflict, words + " is not served, since the model is not "
                                                       "loaded: load it first");
  if (sent_.contains(target.model))
    return runtime::fail(error_code::conflict, words + " is not served: the model is served from "
                                                       "files that came with a load, whose "
                                                       "configuration does not choose it");
  return {};
}

runtime::expected<std::vector<model_entry>> serving_table::set_alias(const std::string& alias,
                                                                     const model_alias& target) {
  const auto old = wishes_.aliases.find(alias);
  if (target.model.empty() && old == wishes_.aliases.end())
    return runtime::fail(error_code::model_not_found, "there is no alias '" + alias + "'");
  if (!target.model.empty())
    if (auto allowed = check_alias(alias, target); !allowed)
      return tl::unexpected(std::move(allowed.error()));
  const std::string left = old == wishes_.aliases.end() ? "" : old->second.model;
  if (target.model.empty())
    wishes_.aliases.erase(old);
  else
    wishes_.aliases[alias] = {target.model, target.version};
  std::vector<model_entry> gone;
  if (!available(left).empty())
    refresh_model(left, gone);
  return gone;
}

std::size_t serving_table::ready_count() const {
  std::size_t count = 0;
  for (const auto& [name, versions] : rows_)
    for (const auto& [number, row] : versions)
      count += is_serving(row) ? 1 : 0;
  return count;
}

}  // namespace dim::actors
