#include "actors/store/serving_table.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "models/triton_config.hpp"

namespace dim::actors {

using runtime::error_code;

namespace {

constexpr std::string_view not_chosen = "not chosen by the version policy";
constexpr std::string_view unloaded = "unloaded";
// Ensembles of ensembles; deeper ones are taken for a circle.
constexpr std::uint32_t depth_max = 8;

std::uint64_t number_of(const std::string& version) {
  std::uint64_t number = 0;
  std::from_chars(version.data(), version.data() + version.size(), number);
  return number;
}

template <class Versions>
std::set<std::uint64_t> chosen(const Versions& available, const models::model_wish& wish,
                               const models::version_policy& policy) {
  std::set<std::uint64_t> numbers;
  if (!wish.is_loaded)
    return numbers;
  const bool is_specific = policy.choice == models::version_choice::specific;
  const auto& named = is_specific && wish.versions.empty() ? policy.versions : wish.versions;
  for (auto each = available.rbegin(); each != available.rend(); ++each) {
    const std::uint64_t number = each->first;
    if (is_specific || !named.empty()) {
      if (std::find(named.begin(), named.end(), number) != named.end())
        numbers.insert(number);
    } else if (policy.choice == models::version_choice::all || numbers.size() < policy.count) {
      numbers.insert(number);
    }
  }
  return numbers;
}

tl::unexpected<runtime::failure> unknown_model(const std::string& name) {
  return runtime::fail(error_code::model_not_found,
                       "Request for unknown model: '" + name + "' is not found");
}

tl::unexpected<runtime::failure> can_not_load(const std::string& name, runtime::failure cause) {
  cause.message = "failed to load '" + name + "', " + cause.message;
  return tl::unexpected(std::move(cause));
}

bool is_same_agent(const model_entry& one, const model_entry& other) {
  return one.digest == other.digest && one.revision == other.revision;
}

}  // namespace

serving_table::serving_table(bool serves_all, models::serving_wishes wishes)
  : serves_all_(serves_all), wishes_(std::move(wishes)) {
}

models::model_wish serving_table::wish_of(const std::string& name) const {
  if (const auto found = wishes_.models.find(name); found != wishes_.models.end())
    return found->second;
  models::model_wish wish;
  wish.is_loaded = serves_all_;
  return wish;
}

runtime::expected<models::model_spec> serving_table::spec_of(
  const entries& versions, const models::model_wish& wish) const {
  const models::model_spec& own = versions.rbegin()->second.spec;
  if (wish.config_json.empty())
    return own;
  return models::parse_triton_json(wish.config_json, own);
}

std::vector<model_entry> serving_table::refresh(const std::vector<model_entry>& catalogue) {
  std::vector<model_entry> gone;
  catalogue_.clear();
  for (const model_entry& entry : catalogue) {
    catalogue_[entry.name].emplace(number_of(entry.version), entry);
    wishes_.aliases.erase(entry.name);
  }
  for (auto model = rows_.begin(); model != rows_.end();) {
    std::erase_if(model->second, [&](const auto& row) {
      const auto kept = catalogue_.find(model->first);
      if (kept != catalogue_.end() && kept->second.contains(row.first))
        return false;
      if (row.second.state == serving_state::ready)
        gone.push_back(row.second.model);
      return true;
    });
    model = model->second.empty() ? rows_.erase(model) : std::next(model);
  }
  for (const auto& [name, versions] : catalogue_)
    refresh_model(name, gone);
  return gone;
}

void serving_table::refresh_model(const std::string& name, std::vector<model_entry>& gone) {
  const entries& versions = catalogue_.at(name);
  const models::model_wish wish = wish_of(name);
  auto spec = spec_of(versions, wish);
  const std::string problem = spec ? "" : spec.error().message;
  if (!spec)
    spec = versions.rbegin()->second.spec;
  const auto wanted = chosen(versions, wish, spec->served);
  for (const auto& [number, entry] : versions) {
    served_version& row = rows_[name][number];
    const bool is_idle = row.state == serving_state::unknown
                         || row.state == serving_state::unavailable;
    if (is_idle) {
      row.model = entry;
      row.model.spec = *spec;
      row.model.revision = wish.revision;
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

runtime::expected<serving_table::load_plan> serving_table::plan_load(
  const std::string& name, const std::string& version, const std::string& config_json) const {
  const auto model = catalogue_.find(name);
  if (model == catalogue_.end())
    return can_not_load(name, {error_code::model_not_found,
                               "failed to poll from model repository",
                               {}});
  load_plan plan{name, {}, {}, wish_of(name)};
  plan.wish.is_loaded = true;
  plan.wish.config_json = config_json;
  plan.wish.versions.clear();
  const version_rows& rows = rows_.at(name);
  if (!version.empty()) {
    if (!models::is_version(version) || !model->second.contains(number_of(version)))
      return can_not_load(name, {error_code::model_not_found,
                                 "version " + version + " is not in the model repository",
                                 {}});
    for (const auto& [number, row] : rows)
      if (row.state == serving_state::ready || number == number_of(version))
        plan.wish.versions.push_back(number);
  }
  const auto spec = spec_of(model->second, plan.wish);
  if (!spec)
    return can_not_load(name, spec.error());
  if (!(*spec == rows.rbegin()->second.model.spec))
    ++plan.wish.revision;
  for (const std::uint64_t number : chosen(model->second, plan.wish, spec->served)) {
    plan.versions.push_back(model->second.at(number));
    plan.versions.back().spec = *spec;
    plan.versions.back().revision = plan.wish.revision;
  }
  if (plan.versions.empty())
    return can_not_load(name, {error_code::bad_input,
                               "its version policy chooses none of its versions",
                               {}});
  add_companions(plan, *spec, 0);
  return plan;
}

void serving_table::add_companions(load_plan& plan, const models::model_spec& spec,
                                   std::uint32_t depth) const {
  for (const models::ensemble_step& step : spec.steps) {
    const auto found = rows_.find(step.model);
    if (found == rows_.end() || is_ready(step.model, step.version, depth) || depth >= depth_max)
      continue;
    const bool is_named = !step.version.empty();
    const auto row = is_named ? found->second.find(number_of(step.version))
                              : std::prev(found->second.end());
    const bool is_planned =
      std::any_of(plan.companions.begin(), plan.companions.end(),
                  [&](const model_entry& each) { return each.name == step.model; });
    if (row == found->second.end() || is_planned)
      continue;
    plan.companions.push_back(row->second.model);
    add_companions(plan, row->second.model.spec, depth + 1);
  }
}

void serving_table::begin_load(const load_plan& plan) {
  for (const auto* list : {&plan.versions, &plan.companions})
    for (const model_entry& entry : *list) {
      served_version& row = rows_.at(entry.name).at(number_of(entry.version));
      if (row.state != serving_state::ready)
        row = {entry, serving_state::loading, ""};
    }
}

std::vector<model_entry> serving_table::finish_load(const load_plan& plan) {
  std::vector<model_entry> gone;
  wishes_.models[plan.name] = plan.wish;
  for (const model_entry& entry : plan.companions) {
    models::model_wish& wish =
      wishes_.models.emplace(entry.name, wish_of(entry.name)).first->second;
    if (!std::exchange(wish.is_loaded, true) || !wish.versions.empty())
      wish.versions.push_back(number_of(entry.version));
    if (const auto model = rows_.find(entry.name); model != rows_.end())
      if (const auto row = model->second.find(number_of(entry.version)); row != model->second.end())
        row->second = {entry, serving_state::ready, ""};
  }
  const auto model = rows_.find(plan.name);
  if (model == rows_.end())
    return gone;
  for (auto& [number, row] : model->second) {
    const auto taken =
      std::find_if(plan.versions.begin(), plan.versions.end(), [&](const model_entry& each) {
        return number_of(each.version) == number;
      });
    const bool was_ready = row.state == serving_state::ready;
    if (taken != plan.versions.end()) {
      if (was_ready && !is_same_agent(row.model, *taken))
        gone.push_back(row.model);
      row = {*taken, serving_state::ready, ""};
    } else if (was_ready) {
      gone.push_back(row.model);
      row.state = serving_state::unavailable;
      row.reason = not_chosen;
    }
  }
  return gone;
}

void serving_table::fail_load(const load_plan& plan, const std::string& reason) {
  // Nodes may know the plan's revision already: the next configuration needs a higher one.
  if (const auto found = wishes_.models.try_emplace(plan.name, wish_of(plan.name)).first;
      found->second.revision < plan.wish.revision)
    found->second.revision = plan.wish.revision + 1;
  for (const auto* list : {&plan.versions, &plan.companions})
    for (const model_entry& entry : *list) {
      const auto model = rows_.find(entry.name);
      if (model == rows_.end())
        continue;
      const auto row = model->second.find(number_of(entry.version));
      if (row == model->second.end() || row->second.state != serving_state::loading)
        continue;
      row->second.state = serving_state::unavailable;
      row->second.reason = reason;
    }
}

runtime::expected<std::vector<model_entry>> serving_table::begin_unload(const std::string& name,
                                                                        const std::string& version,
                                                                        bool dependents) {
  const auto model = rows_.find(name);
  if (model == rows_.end())
    return unknown_model(name);
  if (!version.empty()
      && (!models::is_version(version) || !model->second.contains(number_of(version))))
    return runtime::fail(error_code::model_not_found, "Request for unknown model: '" + name
                                                        + "' version " + version
                                                        + " is not found");
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
  models::model_wish& wish = wishes_.models.emplace(name, wish_of(name)).first->second;
  wish.versions.clear();
  std::vector<models::model_spec> ensembles;
  for (auto& [number, row] : model->second) {
    const bool is_meant = version.empty() || number == number_of(version);
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
  for (const models::model_spec& spec : ensembles)
    for (const models::ensemble_step& step : spec.steps)
      add_unloads(step.model, step.version, dependents, gone, depth + 1);
}

void serving_table::finish_unload(const std::vector<model_entry>& gone) {
  for (const model_entry& entry : gone) {
    const auto model = rows_.find(entry.name);
    if (model == rows_.end())
      continue;
    const auto row = model->second.find(number_of(entry.version));
    if (row == model->second.end() || row->second.state != serving_state::unloading)
      continue;
    row->second.state = serving_state::unavailable;
    row->second.reason = unloaded;
  }
}

}  // namespace dim::actors
