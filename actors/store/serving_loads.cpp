// What it takes to bring models into service. How that ends is in serving_load_ends.cpp.
#include <algorithm>
#include <utility>

#include "actors/store/serving_ensembles.hpp"
#include "actors/store/serving_rules.hpp"
#include "actors/store/serving_table.hpp"
#include "models/triton_config.hpp"

namespace dim::actors {

using namespace serving_rules;
using runtime::error_code;

namespace {

// Each holds its files on the disk.
constexpr std::size_t sent_models_max = 256;

tl::unexpected<runtime::failure> can_not_load(const std::string& name, runtime::failure cause) {
  cause.message = "failed to load '" + name + "', " + cause.message;
  return tl::unexpected(std::move(cause));
}

std::string joined(const std::vector<std::string>& path, const std::string& last) {
  std::string text;
  for (const std::string& each : path)
    text += "'" + each + "' > ";
  return text + "'" + last + "'";
}

}  // namespace

runtime::expected<serving_table::load_plan> serving_table::plan_load(
  const std::string& name, const std::string& version, const std::string& config_json) {
  const auto model = catalogue_.find(name);
  if (model == catalogue_.end())
    return can_not_load(name, {error_code::model_not_found,
                               "failed to poll from model repository",
                               {}});
  if (wishes_.aliases.contains(name))
    return can_not_load(name, {error_code::conflict, "an alias has this name", {}});
  load_plan plan;
  plan.name = name;
  plan.wish = stored_wish(name);
  plan.wish.is_loaded = true;
  plan.wish.config_json = config_json;
  plan.wish.versions.clear();
  const bool is_sent = sent_.contains(name);
  const version_rows& rows = rows_.at(name);
  if (!version.empty()) {
    if (!models::is_version(version) || !model->second.contains(number_of(version)))
      return can_not_load(name, {error_code::model_not_found,
                                 "version " + version + " is not in the model repository",
                                 {}});
    for (const auto& [number, row] : rows)
      if (number == number_of(version) || (row.state == serving_state::ready && !is_sent))
        plan.wish.versions.push_back(number);
    if (is_sent && plan.wish.versions.empty())
      plan.wish.versions.push_back(number_of(version));
  }
  const auto spec = spec_of(model->second, plan.wish);
  if (!spec)
    return can_not_load(name, spec.error());
  plan.revision = revisions_.planned(name, *spec);
  return choose_versions(std::move(plan), model->second, *spec, pinned(name));
}

runtime::expected<serving_table::load_plan> serving_table::plan_sent(
  const std::string& name, const std::vector<model_entry>& sent) {
  if (wishes_.aliases.contains(name))
    return can_not_load(name, {error_code::conflict, "an alias has this name", {}});
  if (sent_.size() >= sent_models_max && !sent_.contains(name))
    return can_not_load(name, {error_code::overloaded,
                               "as many models as may be are served from files that were sent "
                               "with a load; unload one of them",
                               {}});
  load_plan plan;
  plan.name = name;
  plan.revision = revisions_.next();
  entries versions;
  for (const model_entry& entry : sent) {
    plan.sent.push_back(entry);
    plan.sent.back().revision = plan.revision;
    versions.emplace(number_of(entry.version), plan.sent.back());
  }
  return choose_versions(std::move(plan), versions, sent.back().spec, pinned(name));
}

runtime::expected<std::optional<serving_table::load_plan>> serving_table::plan_upload(
  const model_entry& uploaded) {
  const std::string& name = uploaded.name;
  const auto model = catalogue_.find(name);
  const auto rows = rows_.find(name);
  const bool is_in_service
    = rows != rows_.end() && !sent_.contains(name)
      && std::any_of(rows->second.begin(), rows->second.end(),
                     [](const auto& row) { return row.second.state == serving_state::ready; });
  if (model == catalogue_.end() || !is_in_service)
    return std::optional<load_plan>{};
  load_plan plan;
  plan.name = name;
  plan.wish = stored_wish(name);
  plan.keeps_wish = true;
  models::model_spec spec = uploaded.spec;
  spec.file_name = model->second.rbegin()->second.spec.file_name;
  if (!plan.wish.config_json.empty()) {
    auto overlaid = models::parse_triton_json(plan.wish.config_json, spec);
    if (!overlaid)
      return tl::unexpected(std::move(overlaid.error()));
    spec = std::move(*overlaid);
  }
  plan.revision = revisions_.planned(name, spec);
  entries versions = model->second;
  versions[number_of(uploaded.version)] = uploaded;
  add_chosen(plan, versions, spec, pinned(name));
  const bool is_same = std::all_of(plan.versions.begin(), plan.versions.end(),
                                   [&](const model_entry& each) { return is_served(each); });
  return is_same ? std::optional<load_plan>{} : std::optional{std::move(plan)};
}

runtime::expected<std::optional<serving_table::load_plan>> serving_table::plan_alias(
  const std::string& alias, const model_alias& target) {
  if (auto allowed = check_alias(alias, target); !allowed)
    return tl::unexpected(std::move(allowed.error()));
  if (target.version.empty())
    return std::optional<load_plan>{};
  const std::string& name = target.model;
  const entries& versions = available(name);
  const served_version* row = row_of(versions.at(number_of(target.version)));
  if (row != nullptr && row->state == serving_state::ready)
    return std::optional<load_plan>{};
  load_plan plan;
  plan.name = name;
  plan.wish = stored_wish(name);
  plan.keeps_wish = true;
  const auto spec = spec_of(versions, plan.wish);
  if (!spec)
    return can_not_load(name, spec.error());
  plan.revision = revisions_.planned(name, *spec);
  auto pins = pinned(name);
  pins.insert(number_of(target.version));
  auto chosen = choose_versions(std::move(plan), versions, *spec, std::move(pins));
  if (!chosen)
    return tl::unexpected(std::move(chosen.error()));
  return std::optional{std::move(*chosen)};
}

void serving_table::add_chosen(load_plan& plan, const entries& versions,
                               const models::model_spec& spec,
                               const std::set<std::uint64_t>& pins) {
  for (const std::uint64_t number : chosen(versions, plan.wish, spec.served, pins)) {
    plan.versions.push_back(versions.at(number));
    plan.versions.back().spec = spec;
    plan.versions.back().revision = plan.revision;
  }
}

runtime::expected<serving_table::load_plan> serving_table::choose_versions(
  load_plan plan, const entries& versions, const models::model_spec& spec,
  std::set<std::uint64_t> pins) {
  add_chosen(plan, versions, spec, pins);
  if (plan.versions.empty())
    return can_not_load(plan.name, {error_code::bad_input,
                                    "its version policy chooses none of its versions",
                                    {}});
  std::vector<std::string> path{plan.name};
  std::set<std::string> fitting;
  if (auto fits = check_steps(spec, path, fitting); !fits) {
    take_out(plan.name, spec, fits.error().message);
    return can_not_load(plan.name, fits.error());
  }
  add_companions(plan, spec, 0);
  return plan;
}

const served_version* serving_table::row_of(const models::ensemble_step& step) const {
  const auto model = rows_.find(step.model);
  if (model == rows_.end())
    return nullptr;
  const version_rows& rows = model->second;
  if (!step.version.empty()) {
    const auto row = rows.find(number_of(step.version));
    return row == rows.end() ? nullptr : &row->second;
  }
  const auto ready = std::find_if(rows.rbegin(), rows.rend(), [](const auto& row) {
    return row.second.state == serving_state::ready;
  });
  return ready == rows.rend() ? &rows.rbegin()->second : &ready->second;
}

runtime::expected<void> serving_table::check_steps(const models::model_spec& spec,
                                                   std::vector<std::string>& path,
                                                   std::set<std::string>& fitting) const {
  using namespace serving_ensembles;
  if (spec.steps.empty())
    return {};
  const std::string whose = path.size() > 1 ? "'" + path.back() + "': " : "";
  const auto refusal = [&](const std::string& words) {
    return runtime::fail(error_code::bad_input, whose + words);
  };
  if (path.size() >= depth_max)
    return refusal("ensembles of ensembles are deeper than " + std::to_string(depth_max)
                   + " models: " + joined({path.begin(), path.end() - 1}, path.back()));
  carried_tensors known = inputs_of(spec);
  for (std::size_t index = 0; index < spec.steps.size(); ++index) {
    const models::ensemble_step& step = spec.steps[index];
    const std::string where = "steps[" + std::to_string(index) + "]";
    if (std::find(path.begin(), path.end(), step.model) != path.end())
      return refusal(where + ".model: expected a model that does not run this one, got a circle: "
                     + joined(path, step.model));
    const served_version* member = row_of(step);
    if (member == nullptr)
      return refusal(where + ".model: there is no model '" + step.model + "'"
                     + (step.version.empty() ? "" : " of version " + step.version));
    if (auto problem = step_problem(step, member->model.spec, known); !problem.empty())
      return refusal(where + problem);
    if (!fitting.insert(step.model + ":" + member->model.version).second)
      continue;
    path.push_back(step.model);
    if (auto fits = check_steps(member->model.spec, path, fitting); !fits)
      return fits;
    path.pop_back();
  }
  if (auto problem = output_problem(spec, known); !problem.empty())
    return refusal(problem);
  return {};
}

void serving_table::take_out(const std::string& name, const models::model_spec& spec,
                             const std::string& reason) {
  const auto model = rows_.find(name);
  if (model == rows_.end() || sent_.contains(name))
    return;
  heights known;
  for (auto& [number, row] : model->second) {
    // One whose steps are not ready comes back by itself when they are.
    if (!(row.model.spec == spec) || seen(row, known).state != serving_state::ready)
      continue;
    row.state = serving_state::unavailable;
    row.reason = reason;
  }
}

void serving_table::add_companions(load_plan& plan, const models::model_spec& spec,
                                   std::uint32_t depth) const {
  heights known;
  for (const models::ensemble_step& step : spec.steps) {
    const auto found = rows_.find(step.model);
    if (found == rows_.end() || is_ready(step, known) || depth >= depth_max)
      continue;
    const served_version* row = row_of(step);
    const bool is_planned =
      row != nullptr
      && std::any_of(plan.companions.begin(), plan.companions.end(), [&](const auto& each) {
           return each.name == step.model && each.version == row->model.version;
         });
    if (row == nullptr || is_planned)
      continue;
    plan.companions.push_back(row->model);
    add_companions(plan, row->model.spec, depth + 1);
  }
}

void serving_table::begin_load(const load_plan& plan) {
  // The repository's model must be told from the sent one when it takes its place again.
  if (!plan.sent.empty())
    revisions_.renew(plan.name);
  for (const auto* list : {&plan.versions, &plan.companions})
    for (const model_entry& entry : *list) {
      served_version& row = rows_[entry.name][number_of(entry.version)];
      if (row.state != serving_state::ready)
        row = {entry, serving_state::loading, ""};
    }
}

served_version* serving_table::row_of(const model_entry& entry) {
  return const_cast<served_version*>(std::as_const(*this).row_of(entry));
}

const served_version* serving_table::row_of(const model_entry& entry) const {
  const auto model = rows_.find(entry.name);
  if (model == rows_.end())
    return nullptr;
  const auto row = model->second.find(number_of(entry.version));
  return row == model->second.end() ? nullptr : &row->second;
}

std::set<std::string> serving_table::sent_digests() const {
  std::set<std::string> digests;
  for (const auto& [name, model] : sent_)
    for (const auto& [number, entry] : model.versions)
      digests.insert(entry.digest);
  return digests;
}

}  // namespace dim::actors
