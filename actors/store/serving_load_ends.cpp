// How loads end: what takes whose place, and what is served of a plan whose models have changed
// meanwhile.
#include <algorithm>
#include <utility>

#include "actors/store/serving_rules.hpp"
#include "actors/store/serving_table.hpp"

namespace dim::actors {

using namespace serving_rules;

namespace {

/// Whether the entry's file is that of its version.
template <class Versions>
bool has_file(const Versions& versions, const model_entry& entry) {
  const auto own = versions.find(number_of(entry.version));
  return own != versions.end() && own->second.digest == entry.digest;
}

}  // namespace

bool serving_table::is_still_there(const load_plan& plan) const {
  if (!plan.sent.empty())
    return true;
  const auto is_in = [&plan](const entries& versions) {
    return std::any_of(plan.versions.begin(), plan.versions.end(),
                       [&](const model_entry& each) { return has_file(versions, each); });
  };
  // An alias is for what is served, a load for what the repository has.
  const auto own = catalogue_.find(plan.name);
  return plan.keeps_wish ? is_in(available(plan.name))
                         : own != catalogue_.end() && is_in(own->second);
}

std::vector<model_entry> serving_table::finish_load(const load_plan& plan) {
  const bool was_sent = !plan.keeps_wish && sent_.erase(plan.name) > 0;
  if (plan.sent.empty()) {
    revisions_.set(plan.name, plan.versions.front().spec, plan.revision);
    if (!plan.keeps_wish)
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
    settle(plan.name, gone);
  for (const auto* list : {&plan.versions, &plan.companions})
    for (const model_entry& entry : *list)
      if (!is_served(entry)) {
        gone.push_back(entry);
        give_back(entry, gone);
      }
  return gone;
}

std::vector<model_entry> serving_table::finish_upload(
  load_plan plan, const std::vector<model_entry>& catalogue) {
  revisions_.set(plan.name, plan.versions.front().spec, plan.revision);
  std::vector<model_entry> gone = refresh(catalogue);
  const entries& versions = available(plan.name);
  for (model_entry& entry : plan.versions)
    if (const auto own = versions.find(number_of(entry.version)); own != versions.end())
      entry.created_at = own->second.created_at;
  for (model_entry& entry : finish_load(plan))
    gone.push_back(std::move(entry));
  return gone;
}

void serving_table::finish_companions(const load_plan& plan) {
  for (const model_entry& entry : plan.companions) {
    served_version* row = row_of(entry);
    // Somebody else has served it meanwhile, or its file is another one now.
    if (row == nullptr || row->state == serving_state::ready || !is_there(entry))
      continue;
    *row = {entry, serving_state::ready, ""};
    const auto sent = sent_.find(entry.name);
    models::model_wish& wish =
      sent != sent_.end()
        ? sent->second.wish
        : wishes_.models.emplace(entry.name, stored_wish(entry.name)).first->second;
    if (!std::exchange(wish.is_loaded, true) || !wish.versions.empty())
      wish.versions.push_back(number_of(entry.version));
  }
}

std::vector<model_entry> serving_table::swap_in(const load_plan& plan) {
  std::vector<model_entry> gone;
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
    if (is_there(entry))
      rows[number_of(entry.version)] = {entry, serving_state::ready, ""};
  // Of a model that was removed meanwhile nothing is left.
  if (rows.empty())
    rows_.erase(plan.name);
  return gone;
}

void serving_table::give_back(const model_entry& entry, std::vector<model_entry>& gone) {
  served_version* row = row_of(entry);
  if (row == nullptr || row->state != serving_state::loading)
    return;
  row->state = serving_state::unavailable;
  row->reason = not_chosen;
  settle(entry.name, gone);
}

bool serving_table::is_there(const model_entry& entry) const {
  return has_file(available(entry.name), entry);
}

std::vector<model_entry> serving_table::fail_load(const load_plan& plan,
                                                  const std::string& reason,
                                                  const model_entry* broken) {
  std::vector<model_entry> gone;
  // Nodes may know the plan's revision already: agents that come later need a higher one.
  if (!revisions_.has(plan.name, plan.revision))
    revisions_.renew(plan.name);
  for (const auto* list : {&plan.versions, &plan.companions})
    for (const model_entry& entry : *list) {
      served_version* row = row_of(entry);
      const bool is_broken = broken != nullptr && entry.name == broken->name
                             && entry.version == broken->version;
      const bool was_served = is_served(entry);
      if (!was_served || is_broken)
        gone.push_back(entry);
      const bool is_over = row != nullptr
                           && (row->state == serving_state::loading || (was_served && is_broken));
      if (!is_over)
        continue;
      row->state = serving_state::unavailable;
      row->reason = reason;
    }
  if (!plan.sent.empty())
    settle(plan.name, gone);
  return gone;
}

}  // namespace dim::actors
