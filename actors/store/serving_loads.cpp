// How models come into service: what it takes, and what takes whose place.
#include <algorithm>
#include <utility>

#include "actors/store/serving_rules.hpp"
#include "actors/store/serving_table.hpp"

namespace dim::actors {

using namespace serving_rules;
using runtime::error_code;

namespace {

// Each holds its files on the disk.
constexpr std::size_t sent_models_max = 256;
// Wishes of models that are not there are kept for their revisions.
constexpr std::size_t absent_wishes_max = 1'024;

tl::unexpected<runtime::failure> can_not_load(const std::string& name, runtime::failure cause) {
  cause.message = "failed to load '" + name + "', " + cause.message;
  return tl::unexpected(std::move(cause));
}

bool is_same_agent(const model_entry& one, const model_entry& other) {
  return one.digest == other.digest && one.revision == other.revision;
}

}  // namespace

runtime::expected<serving_table::load_plan> serving_table::plan_load(
  const std::string& name, const std::string& version, const std::string& config_json) const {
  const auto model = catalogue_.find(name);
  if (model == catalogue_.end())
    return can_not_load(name, {error_code::model_not_found,
                               "failed to poll from model repository",
                               {}});
  load_plan plan{name, {}, {}, stored_wish(name), {}};
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
  if (is_sent || !(*spec == rows.rbegin()->second.model.spec))
    ++plan.wish.revision;
  return choose_versions(std::move(plan), model->second, *spec);
}

runtime::expected<serving_table::load_plan> serving_table::plan_sent(
  const std::string& name, const std::vector<model_entry>& sent) const {
  if (wishes_.aliases.contains(name))
    return can_not_load(name, {error_code::conflict, "an alias has this name", {}});
  if (sent_.size() >= sent_models_max && !sent_.contains(name))
    return can_not_load(name, {error_code::overloaded,
                               "as many models as may be are served from files that were sent "
                               "with a load; unload one of them",
                               {}});
  load_plan plan{name, {}, {}, {}, {}};
  plan.wish.revision = stored_wish(name).revision + 1;
  entries versions;
  for (const model_entry& entry : sent) {
    plan.sent.push_back(entry);
    plan.sent.back().revision = plan.wish.revision;
    versions.emplace(number_of(entry.version), plan.sent.back());
  }
  return choose_versions(std::move(plan), versions, sent.back().spec);
}

runtime::expected<serving_table::load_plan> serving_table::choose_versions(
  load_plan plan, const entries& versions, const models::model_spec& spec) const {
  for (const std::uint64_t number : chosen(versions, plan.wish, spec.served)) {
    plan.versions.push_back(versions.at(number));
    plan.versions.back().spec = spec;
    plan.versions.back().revision = plan.wish.revision;
  }
  if (plan.versions.empty())
    return can_not_load(plan.name, {error_code::bad_input,
                                    "its version policy chooses none of its versions",
                                    {}});
  add_companions(plan, spec, 0);
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
  if (!plan.sent.empty())
    keep_revision(plan.name, plan.wish.revision + 1);
  for (const auto* list : {&plan.versions, &plan.companions})
    for (const model_entry& entry : *list) {
      served_version& row = rows_[entry.name][number_of(entry.version)];
      if (row.state != serving_state::ready)
        row = {entry, serving_state::loading, ""};
    }
}

void serving_table::keep_revision(const std::string& name, std::uint32_t revision) {
  models::model_wish& wish = wishes_.models.try_emplace(name, stored_wish(name)).first->second;
  wish.revision = std::max(wish.revision, revision);
  std::size_t absent = 0;
  std::erase_if(wishes_.models, [&](const auto& each) {
    const bool is_absent = each.first != name && available(each.first).empty();
    return is_absent && ++absent >= absent_wishes_max;
  });
}

std::vector<model_entry> serving_table::finish_load(const load_plan& plan) {
  const bool was_sent = sent_.erase(plan.name) > 0;
  if (plan.sent.empty()) {
    wishes_.models[plan.name] = plan.wish;
  } else {
    sent_model& sent = sent_[plan.name];
    sent.wish = plan.wish;
    for (const model_entry& entry : plan.sent)
      sent.versions.emplace(number_of(entry.version), entry);
  }
  finish_companions(plan);
  auto gone = swap_in(plan);
  if (was_sent || !plan.sent.empty())
    settle(plan.name);
  return gone;
}

void serving_table::finish_companions(const load_plan& plan) {
  for (const model_entry& entry : plan.companions) {
    const auto sent = sent_.find(entry.name);
    models::model_wish& wish =
      sent != sent_.end()
        ? sent->second.wish
        : wishes_.models.emplace(entry.name, stored_wish(entry.name)).first->second;
    if (!std::exchange(wish.is_loaded, true) || !wish.versions.empty())
      wish.versions.push_back(number_of(entry.version));
    if (served_version* row = row_of(entry))
      *row = {entry, serving_state::ready, ""};
  }
}

std::vector<model_entry> serving_table::swap_in(const load_plan& plan) {
  std::vector<model_entry> gone;
  const entries& versions = available(plan.name);
  if (versions.empty())
    return gone;
  version_rows& rows = rows_[plan.name];
  for (auto& [number, row] : rows) {
    const auto taken =
      std::find_if(plan.versions.begin(), plan.versions.end(), [&](const model_entry& each) {
        return number_of(each.version) == number;
      });
    const bool is_taken = taken != plan.versions.end();
    if (row.state != serving_state::ready || (is_taken && is_same_agent(row.model, *taken)))
      continue;
    gone.push_back(row.model);
    row.state = serving_state::unavailable;
    row.reason = not_chosen;
  }
  for (const model_entry& entry : plan.versions)
    if (versions.contains(number_of(entry.version)))
      rows[number_of(entry.version)] = {entry, serving_state::ready, ""};
  return gone;
}

served_version* serving_table::row_of(const model_entry& entry) {
  const auto model = rows_.find(entry.name);
  if (model == rows_.end())
    return nullptr;
  const auto row = model->second.find(number_of(entry.version));
  return row == model->second.end() ? nullptr : &row->second;
}

std::vector<model_entry> serving_table::fail_load(const load_plan& plan,
                                                  const std::string& reason) {
  std::vector<model_entry> gone;
  // Nodes may know the plan's revision already: the next configuration needs a higher one.
  if (stored_wish(plan.name).revision < plan.wish.revision)
    keep_revision(plan.name, plan.wish.revision + 1);
  for (const auto* list : {&plan.versions, &plan.companions})
    for (const model_entry& entry : *list) {
      served_version* row = row_of(entry);
      const bool is_served = row != nullptr && row->state == serving_state::ready
                             && is_same_agent(row->model, entry);
      if (!is_served)
        gone.push_back(entry);
      if (row == nullptr || row->state != serving_state::loading)
        continue;
      row->state = serving_state::unavailable;
      row->reason = reason;
    }
  if (!plan.sent.empty())
    settle(plan.name);
  return gone;
}

std::set<std::string> serving_table::sent_digests() const {
  std::set<std::string> digests;
  for (const auto& [name, model] : sent_)
    for (const auto& [number, entry] : model.versions)
      digests.insert(entry.digest);
  return digests;
}

}  // namespace dim::actors
