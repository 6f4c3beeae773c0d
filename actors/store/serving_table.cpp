// What is served of what there is: the repository's models, and those that were sent. Loads are in
// serving_loads.cpp and serving_load_ends.cpp, what others see of it in serving_queries.cpp.
#include "actors/store/serving_table.hpp"

#include <algorithm>
#include <utility>

#include "actors/store/serving_rules.hpp"
#include "models/triton_config.hpp"

namespace dim::actors {

using namespace serving_rules;
using runtime::error_code;

serving_table::serving_table(bool serves_all, models::serving_wishes wishes,
                             serving_revisions revisions)
  : serves_all_(serves_all), wishes_(std::move(wishes)), revisions_(std::move(revisions)) {
  // Wishes of a program that kept revisions with them.
  for (auto& [name, wish] : wishes_.models)
    if (std::exchange(wish.revision, 0) > 0 && !revisions_.has(name))
      revisions_.renew(name);
}

models::model_wish serving_table::stored_wish(const std::string& name) const {
  if (const auto found = wishes_.models.find(name); found != wishes_.models.end())
    return found->second;
  models::model_wish wish;
  wish.is_loaded = serves_all_;
  return wish;
}

models::model_wish serving_table::wish_of(const std::string& name) const {
  const auto sent = sent_.find(name);
  return sent == sent_.end() ? stored_wish(name) : sent->second.wish;
}

const serving_table::entries& serving_table::available(const std::string& name) const {
  static const entries nothing;
  if (const auto sent = sent_.find(name); sent != sent_.end())
    return sent->second.versions;
  const auto own = catalogue_.find(name);
  return own == catalogue_.end() ? nothing : own->second;
}

std::set<std::uint64_t> serving_table::pinned(const std::string& name) const {
  std::set<std::uint64_t> numbers;
  for (const auto& [alias, target] : wishes_.aliases)
    if (target.model == name && !target.version.empty())
      numbers.insert(number_of(target.version));
  return numbers;
}

runtime::expected<models::model_spec> serving_table::spec_of(
  const entries& versions, const models::model_wish& wish) const {
  const models::model_spec& own = versions.rbegin()->second.spec;
  if (wish.config_json.empty())
    return own;
  return models::parse_triton_json(wish.config_json, own);
}

std::vector<model_entry> serving_table::refresh(const std::vector<model_entry>& catalogue,
                                                std::vector<model_entry> gone) {
  catalogue_.clear();
  for (const model_entry& entry : catalogue)
    catalogue_[entry.name].emplace(number_of(entry.version), entry);
  revisions_.forget_some(catalogue_);
  for (auto model = rows_.begin(); model != rows_.end();) {
    const entries& versions = available(model->first);
    std::erase_if(model->second, [&](const auto& row) {
      if (versions.contains(row.first))
        return false;
      if (row.second.state == serving_state::ready)
        gone.push_back(row.second.model);
      return true;
    });
    model = model->second.empty() ? rows_.erase(model) : std::next(model);
  }
  for (const auto& [name, versions] : catalogue_)
    refresh_model(name, gone);
  std::erase_if(gone, [this](const model_entry& each) { return is_served(each); });
  return gone;
}

void serving_table::refresh_model(const std::string& name, std::vector<model_entry>& gone) {
  const entries& versions = available(name);
  const models::model_wish wish = wish_of(name);
  auto spec = spec_of(versions, wish);
  const std::string problem = spec ? "" : spec.error().message;
  if (!spec)
    spec = versions.rbegin()->second.spec;
  const auto wanted = chosen(versions, wish, spec->served, pinned(name));
  const bool is_sent = sent_.contains(name);
  const std::uint32_t revision = is_sent ? 0 : revisions_.of(name, *spec);
  for (const auto& [number, entry] : versions) {
    served_version& row = rows_[name][number];
    const bool is_idle = row.state == serving_state::unknown
                         || row.state == serving_state::unavailable;
    if (is_idle) {
      row.model = entry;
      row.model.spec = *spec;
      row.model.revision = is_sent ? entry.revision : revision;
      const bool is_free = row.state == serving_state::unknown || row.reason == not_chosen;
      if (is_free && wanted.contains(number)) {
        row.state = problem.empty() ? serving_state::ready : serving_state::unavailable;
        row.reason = problem;
      }
    } else if (row.state == serving_state::ready && !wanted.contains(number)) {
      row.state = serving_state::unavailable;
      row.reason = not_chosen;
      gone.push_back(row.model);
    }
  }
}

void serving_table::settle(const std::string& name, std::vector<model_entry>& gone) {
  const entries& versions = available(name);
  if (const auto model = rows_.find(name); model != rows_.end()) {
    std::erase_if(model->second, [&](const auto& row) {
      const serving_state state = row.second.state;
      return !versions.contains(row.first) && state != serving_state::loading
             && state != serving_state::unloading;
    });
    if (model->second.empty())
      rows_.erase(model);
  }
  if (!versions.empty())
    refresh_model(name, gone);
}

runtime::expected<std::vector<model_entry>> serving_table::begin_unload(const std::string& name,
                                                                        const std::string& version,
                                                                        bool dependents) {
  const auto model = rows_.find(name);
  if (model == rows_.end())
    return unknown_model("'" + name + "'");
  if (!version.empty()
      && (!models::is_version(version) || !model->second.contains(number_of(version))))
    return unknown_model("'" + name + "' version " + version);
  for (const auto& [alias, target] : wishes_.aliases)
    if (!version.empty() && target.model == name && target.version == version)
      return runtime::fail(error_code::conflict,
                           "the alias '" + alias + "' stands for version " + version + " of '"
                             + name + "': let it stand for another one first");
  std::vector<model_entry> gone;
  add_unloads(name, version, dependents, gone, 0);
  return gone;
}

void serving_table::add_unloads(const std::string& name, const std::string& version,
                                bool dependents, std::vector<model_entry>& gone,
                                std::uint32_t depth) {
  const auto model = rows_.find(name);
  if (model == rows_.end() || depth >= depth_max)
    return;
  const auto sent = sent_.find(name);
  models::model_wish& wish = sent != sent_.end()
                               ? sent->second.wish
                               : wishes_.models.emplace(name, stored_wish(name)).first->second;
  wish.versions.clear();
  const std::set<std::uint64_t> pins = pinned(name);
  std::vector<models::model_spec> ensembles;
  for (auto& [number, row] : model->second) {
    const bool is_meant
      = version.empty() || (number == number_of(version) && !pins.contains(number));
    if (!is_meant && row.state == serving_state::ready)
      wish.versions.push_back(number);
    if (!is_meant || row.state == serving_state::loading || row.state == serving_state::unloading)
      continue;
    const bool was_ready = row.state == serving_state::ready;
    if (was_ready)
      gone.push_back(row.model);
    if (dependents && !row.model.spec.steps.empty())
      ensembles.push_back(row.model.spec);
    row.state = was_ready ? serving_state::unloading : serving_state::unavailable;
    row.reason = was_ready ? "" : unloaded;
  }
  wish.is_loaded = !wish.versions.empty();
  if (sent != sent_.end() && !wish.is_loaded)
    forget_sent(name, gone);
  for (const models::model_spec& spec : ensembles)
    for (const models::ensemble_step& step : spec.steps)
      add_unloads(step.model, step.version, dependents, gone, depth + 1);
}

void serving_table::forget_sent(const std::string& name, std::vector<model_entry>& gone) {
  sent_.erase(name);
  // A model of that name which comes into the repository later was never unloaded.
  if (catalogue_.contains(name)) {
    models::model_wish& wish =
      wishes_.models.emplace(name, stored_wish(name)).first->second;
    wish.is_loaded = false;
    wish.versions.clear();
  }
  settle(name, gone);
}

void serving_table::forget(const std::string& name) {
  if (!catalogue_.contains(name))
    wishes_.models.erase(name);
}

std::vector<model_entry> serving_table::finish_unload(
  const std::vector<model_entry>& unloaded_versions) {
  std::vector<model_entry> gone;
  for (const model_entry& entry : unloaded_versions) {
    const auto model = rows_.find(entry.name);
    if (model == rows_.end())
      continue;
    const auto row = model->second.find(number_of(entry.version));
    if (row == model->second.end() || row->second.state != serving_state::unloading)
      continue;
    row->second.state = serving_state::unavailable;
    row->second.reason = unloaded;
    const entries& versions = available(entry.name);
    const auto own = versions.find(row->first);
    if (own == versions.end() || own->second.digest != entry.digest)
      settle(entry.name, gone);
  }
  return gone;
}

}  // namespace dim::actors
