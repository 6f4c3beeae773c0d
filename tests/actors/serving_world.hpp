#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "actors/store/serving_rules.hpp"
#include "actors/store/serving_table.hpp"
#include "tests/actors/serving_agents.hpp"
#include "tests/actors/serving_draws.hpp"

namespace dim::tests {

/// Plays MODELS, its repository and its clients to one serving table, with every choice drawn from
/// a seed: what is added, edited and removed, loaded, sent, uploaded and unloaded, what aliases
/// stand for, how loads end and when, and when MODELS starts anew. Knows which agents there may be,
/// and checks after every step what must always hold.
class serving_world {
public:
  explicit serving_world(std::uint64_t seed) : random_(seed), draws_(random_) {
    for (auto& name : serving_draws::names())
      if (random_.below(4) > 0)
        add_version(name);
    refresh();
  }

  void play(std::size_t steps) {
    for (std::size_t count = 0; count < steps; ++count) {
      step();
      check();
    }
    while (!loads_.empty())
      end_load();
    while (!unloads_.empty())
      end_unload();
    check();
    restart();
    check();
  }

  /// How often each kind of step did something.
  const std::map<std::string, std::size_t>& counts() const {
    return counts_;
  }

private:
  /// A load, an upload or the load for an alias, by the rules of MODELS one a name.
  struct running_load {
    serving_table::load_plan plan;
    std::optional<model_entry> uploaded;
    std::optional<std::pair<std::string, model_alias>> alias;
  };

  void step() {
    const std::string name = draws_.name();
    switch (random_.below(14)) {
      case 0:
        return add_version(name), refresh();
      case 1:
        return remove(name);
      case 2:
        return edit(name);
      case 3:
      case 4:
        return load(name);
      case 5:
        return send(name);
      case 6:
        return upload(name);
      case 7:
        return unload(name);
      case 8:
      case 9:
        return end_unload();
      case 10:
        return set_alias();
      case 11:
        return random_.below(20) == 0 ? restart() : end_load();
      default:
        return end_load();
    }
  }

  void add_version(const std::string& name) {
    auto& model = repository_[name];
    if (model.empty() && table_.wishes().aliases.contains(name))
      return void(repository_.erase(name));
    const auto spec = model.empty() ? draws_.spec(name) : model.rbegin()->second.spec;
    const std::uint64_t number = model.empty() ? 1 : model.rbegin()->first + 1;
    model[number] = draws_.entry(name, number, spec);
    note("add");
  }

  void remove(const std::string& name) {
    auto& model = repository_[name];
    if (!model.empty())
      note("remove");
    if (random_.below(3) == 0)
      model.clear();
    else if (!model.empty())
      model.erase(std::next(model.begin(), static_cast<long>(random_.below(model.size()))));
    if (model.empty())
      repository_.erase(name);
    refresh();
    table_.forget(name);
  }

  void edit(const std::string& name) {
    const auto found = repository_.find(name);
    if (found == repository_.end())
      return;
    const auto spec = draws_.spec(name);
    for (auto& [number, entry] : found->second)
      entry.spec = spec;
    edited_.insert(name);
    note("edit");
    refresh();
  }

  void load(const std::string& name) {
    if (loads_.contains(name))
      return;
    const auto version = random_.below(3) == 0 ? std::to_string(1 + random_.below(4)) : "";
    const auto config =
      random_.below(3) == 0 ? "{\"max_batch_size\": " + std::to_string(1 + random_.below(3)) + "}"
                            : "";
    begin(name, table_.plan_load(name, version, config), "load");
  }

  void begin(const std::string& name, runtime::expected<serving_table::load_plan> plan,
             const std::string& what) {
    note(plan ? what : what + " refused");
    if (!plan)
      return;
    counts_["load with companions"] += plan->companions.empty() ? 0 : 1;
    table_.begin_load(*plan);
    loads_[name].plan = std::move(*plan);
  }

  void send(const std::string& name) {
    if (loads_.contains(name))
      return;
    const auto spec = draws_.spec(name);
    std::vector<model_entry> sent;
    const auto last = 1 + random_.below(3);
    for (std::uint64_t number = 1; number <= last; ++number)
      sent.push_back(draws_.entry(name, number, spec));
    begin(name, table_.plan_sent(name, sent), "send");
  }

  void upload(const std::string& name) {
    if (loads_.contains(name) || table_.wishes().aliases.contains(name))
      return;
    const auto found = repository_.find(name);
    const std::uint64_t number =
      found == repository_.end() ? 1 : found->second.rbegin()->first + 1;
    const auto uploaded = draws_.entry(name, number, draws_.spec(name));
    auto plan = table_.plan_upload(uploaded);
    if (!plan)
      return note("upload refused");
    note(*plan ? "upload" : "entered at once");
    if (*plan)
      return void(loads_[name] = {std::move(**plan), uploaded, {}});
    enter(uploaded);
    refresh();
  }

  /// The repository has one configuration for all versions of a model.
  void enter(const model_entry& uploaded) {
    auto& model = repository_[uploaded.name];
    model[actors::serving_rules::number_of(uploaded.version)] = uploaded;
    for (auto& [number, entry] : model)
      entry.spec = uploaded.spec;
  }

  void unload(const std::string& name) {
    if (loads_.contains(name))
      return;
    const auto version = random_.below(2) == 0 ? std::to_string(1 + random_.below(4)) : "";
    auto next = table_;
    auto gone = next.begin_unload(name, version, random_.below(3) == 0);
    if (!gone)
      return note("unload refused");
    table_ = std::move(next);
    retire(*gone);
    unloads_.push_back(std::move(*gone));
    note("unload");
  }

  void end_unload() {
    if (unloads_.empty())
      return;
    const auto which = unloads_.begin() + static_cast<long>(random_.below(unloads_.size()));
    retire(table_.finish_unload(*which));
    unloads_.erase(which);
  }

  void set_alias() {
    const auto alias = "alias-" + std::to_string(random_.below(2));
    model_alias target;
    if (random_.below(4) > 0)
      target = {draws_.name(), random_.below(3) == 0 ? "" : std::to_string(1 + random_.below(4))};
    if (!target.version.empty() && loads_.contains(target.model))
      return;
    if (!target.model.empty()) {
      auto plan = table_.plan_alias(alias, target);
      if (!plan)
        return note("alias refused");
      if (*plan) {
        table_.begin_load(**plan);
        loads_[target.model] = {std::move(**plan), {}, std::pair{alias, target}};
        return note("alias prepared");
      }
    }
    auto next = table_;
    auto gone = next.set_alias(alias, target);
    if (!gone)
      return note("alias refused");
    table_ = std::move(next);
    retire(*gone);
    note("alias");
  }

  void end_load() {
    if (loads_.empty())
      return;
    auto found = std::next(loads_.begin(), static_cast<long>(random_.below(loads_.size())));
    auto run = std::move(found->second);
    loads_.erase(found);
    for (auto* list : {&run.plan.companions, &run.plan.versions})
      for (auto& entry : *list)
        if (has_agents(entry))
          agents_.insert(id_of(entry));
    if (random_.below(4) == 0)
      return fail(run, nullptr);
    if (random_.below(6) == 0)
      return fail(run, &run.plan.versions[random_.below(run.plan.versions.size())]);
    finish(run);
  }

  void fail(const running_load& run, const model_entry* broken) {
    retire(table_.fail_load(run.plan, "drawn", broken));
    note("load failed");
  }

  void finish(const running_load& run) {
    if (!run.uploaded && !table_.is_still_there(run.plan))
      return fail(run, nullptr);
    if (run.uploaded)
      enter(*run.uploaded);
    auto next = table_;
    auto gone = run.uploaded ? next.finish_upload(run.plan, catalogue())
                             : next.finish_load(run.plan);
    if (run.alias) {
      auto set = next.set_alias(run.alias->first, run.alias->second);
      if (!set)
        return fail(run, nullptr);
      gone.insert(gone.end(), set->begin(), set->end());
    }
    table_ = std::move(next);
    gone = table_.refresh(catalogue(), std::move(gone));
    edited_.erase(run.plan.name);
    retire(gone);
    note("load finished");
  }

  void restart() {
    const auto before = served();
    const bool is_quiet = loads_.empty() && unloads_.empty();
    const auto sent = sent_names();
    loads_.clear();
    unloads_.clear();
    floor_ += 1'000;
    table_ = serving_table(true, table_.wishes(),
                           serving_revisions(table_.revisions().text(), floor_));
    table_.refresh(catalogue());
    agents_.clear();
    note("restart");
    const auto after = served();
    for (auto& id : before) {
      auto& [name, version, digest, revision] = id;
      if (!is_quiet || edited_.contains(name) || sent.contains(name))
        continue;
      // With another revision where a load has failed: its agents are told from those to come.
      const bool is_back = std::any_of(after.begin(), after.end(), [&](auto& each) {
        return std::get<1>(each) == version && std::get<2>(each) == digest;
      });
      CHECK_MESSAGE(is_back, in_words(id), " is not served after a restart");
    }
    edited_.clear();
  }

  void refresh() {
    retire(table_.refresh(catalogue()));
  }

  std::vector<model_entry> catalogue() const {
    std::vector<model_entry> all;
    for (auto& [name, versions] : repository_)
      for (auto& [number, entry] : versions)
        all.push_back(entry);
    return all;
  }

  /// Of every version that is ready by itself, whatever its steps are.
  std::set<agent_id> served() const {
    std::set<agent_id> result;
    for (auto& row : table_.all().versions)
      if (table_.is_served(row.model))
        result.insert(id_of(row.model));
    return result;
  }

  std::set<std::string> sent_names() const {
    std::set<std::string> names;
    const auto digests = table_.sent_digests();
    for (auto& row : table_.all().versions)
      if (digests.contains(row.model.digest))
        names.insert(row.model.name);
    return names;
  }

  void retire(const std::vector<model_entry>& gone) {
    for (auto& entry : gone) {
      CHECK_MESSAGE(!table_.is_served(entry), in_words(id_of(entry)), " is retired and served");
      agents_.erase(id_of(entry));
    }
  }

  void check() {
    std::set<agent_id> wanted;
    std::set<std::pair<std::string, std::string>> loading, unloading;
    for (auto& [name, run] : loads_)
      for (auto* list : {&run.plan.companions, &run.plan.versions})
        for (auto& entry : *list) {
          wanted.insert(id_of(entry));
          loading.emplace(entry.name, entry.version);
        }
    for (auto& gone : unloads_)
      for (auto& entry : gone)
        unloading.emplace(entry.name, entry.version);
    for (auto& row : table_.all().versions) {
      const std::pair version{row.model.name, row.model.version};
      const bool is_stray =
        (row.state == serving_state::loading && !loading.contains(version))
        || (row.state == serving_state::unloading && !unloading.contains(version));
      CHECK_MESSAGE(!is_stray, in_words(id_of(row.model)), " is on a way that nobody has begun");
      if (table_.is_served(row.model) && has_agents(row.model))
        agents_.insert(id_of(row.model));
    }
    check_aliases();
    const auto now = served();
    for (auto& id : agents_)
      CHECK_MESSAGE((now.contains(id) || wanted.contains(id)), in_words(id),
                    " has agents that nobody needs");
  }

  /// What an alias stands for is served beside what the policy chooses, as long as its model is.
  void check_aliases() {
    const auto all = table_.all();
    for (auto& [alias, target] : all.aliases) {
      const auto is_left_out = [&target = target](const served_version& row) {
        return row.model.name == target.model && row.model.version == target.version
               && row.reason == serving_rules::not_chosen;
      };
      const bool is_loading = loads_.contains(target.model);
      const bool is_loaded = std::any_of(all.versions.begin(), all.versions.end(), [&](auto& row) {
        return row.model.name == target.model && table_.is_served(row.model);
      });
      if (is_loaded && !is_loading)
        CHECK_MESSAGE(std::none_of(all.versions.begin(), all.versions.end(), is_left_out), alias,
                      " stands for ", target.model, ":", target.version, ", which is left out");
    }
  }

  void note(const std::string& what) {
    ++counts_[what];
  }

  runtime::random_source random_;
  serving_draws draws_;
  std::map<std::string, std::map<std::uint64_t, model_entry>> repository_;
  serving_table table_;
  std::map<std::string, running_load> loads_;
  std::vector<std::vector<model_entry>> unloads_;
  std::set<agent_id> agents_;
  /// Whose configuration was edited in the repository, and not loaded since.
  std::set<std::string> edited_;
  std::uint32_t floor_ = 1'000;
  std::map<std::string, std::size_t> counts_;
};

}  // namespace dim::tests
