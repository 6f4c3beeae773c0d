#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "actors/router/messages.hpp"
#include "actors/store/serving_revisions.hpp"
#include "models/serving_wishes.hpp"
#include "runtime/errors.hpp"

namespace dim::actors {

/// Which versions are served: what the repository has, what the version policies choose, and what
/// people have loaded and unloaded. Each version:
///
///     unknown --load--> loading --> ready --unload, or policy--> unloading --> unavailable
///                           \_______ failed: unavailable             (and back by a load)
///
/// A version that is loaded anew stays ready, as it was, until the new one can take its place. An
/// ensemble counts as ready while the models of all its steps are. A version that an alias stands
/// for is served beside those of the policy, as long as its model is.
///
/// A model whose files were sent with a load stands in place of the repository's of that name, with
/// all its versions, until the next load or until it is unloaded. Nothing of it is in the wishes,
/// so that it is gone after a restart. Without actors; MODELS owns it, and changes a copy where the
/// change counts only once it is on the disk.
class serving_table {
public:
  /// A model that is to be served in a new way, and what has to be prepared before.
  struct load_plan {
    std::string name;
    std::vector<model_entry> versions;
    /// Versions of an ensemble's steps that are not served yet.
    std::vector<model_entry> companions;
    models::model_wish wish;
    /// All versions of which files were sent; empty: the repository's are meant.
    std::vector<model_entry> sent;
    /// Of the configuration that all versions have.
    std::uint32_t revision = 0;
    /// It comes from an upload or an alias: what people have asked to be loaded stays as it is.
    bool keeps_wish = false;
  };

  serving_table() = default;
  /// `serves_all`: models that nobody has loaded or unloaded are served as well.
  serving_table(bool serves_all, models::serving_wishes wishes, serving_revisions revisions);

  /// Takes over what the repository has now, ordered by name and version. Returns the versions that
  /// are served no longer, beside those of `gone` that are not served again: their agents can go.
  std::vector<model_entry> refresh(const std::vector<model_entry>& catalogue,
                                   std::vector<model_entry> gone = {});

  /// What it takes to serve the model: all versions of its policy, or `version` beside those that
  /// are served. `config_json` goes over the repository's configuration. Errors, all with "failed
  /// to load 'NAME'": model_not_found, bad_input (also an ensemble that the models of its steps do
  /// not fit), conflict (an alias has this name).
  runtime::expected<load_plan> plan_load(const std::string& name, const std::string& version,
                                         const std::string& config_json);
  /// The same for versions of which files were sent, by number and of one configuration; there is
  /// at least one. Errors beside those: overloaded (too many).
  runtime::expected<load_plan> plan_sent(const std::string& name,
                                         const std::vector<model_entry>& sent);
  /// What it takes to serve the model with a version that is not in the repository yet, whose
  /// configuration all its versions get. Nothing: no version is in service, or none gets other
  /// agents; it can be entered at once. Errors: bad_input.
  runtime::expected<std::optional<load_plan>> plan_upload(const model_entry& uploaded);
  /// What it takes to serve the version that an alias is to stand for. Nothing: it is served, or
  /// none is named. Errors: as `set_alias`.
  runtime::expected<std::optional<load_plan>> plan_alias(const std::string& alias,
                                                         const model_alias& target);
  void begin_load(const load_plan& plan);
  /// Whether one of the versions that were to be loaded is still to be had. If none is, the load
  /// has failed: `fail_load` ends it.
  bool is_still_there(const load_plan& plan) const;
  /// The plan's versions are served from now on, and no other of the model, as far as they are
  /// still there. Returns those whose place they take, and those of the plan that are not served.
  std::vector<model_entry> finish_load(const load_plan& plan);
  /// The same for the plan of an upload, which `catalogue` has by now.
  std::vector<model_entry> finish_upload(load_plan plan,
                                         const std::vector<model_entry>& catalogue);
  /// Returns those of the plan that may have agents by now, and are not served. `broken` can never
  /// be served as it is, whatever node tries, and is not ready either if it was; null: none.
  std::vector<model_entry> fail_load(const load_plan& plan, const std::string& reason,
                                     const model_entry* broken = nullptr);

  /// Takes a model, or one version, out of service, and with `dependents` also the models of an
  /// ensemble's steps. Returns what was served; `finish_unload` ends it. Errors: model_not_found,
  /// conflict (an alias stands for the version).
  runtime::expected<std::vector<model_entry>> begin_unload(const std::string& name,
                                                           const std::string& version,
                                                           bool dependents);
  /// Returns what is served no longer, since a model of the repository is back in its place.
  std::vector<model_entry> finish_unload(
    const std::vector<model_entry>& unloaded_versions);

  /// An empty target removes the alias. Returns the versions that are served no longer, since no
  /// alias stands for them any more. Errors: model_not_found, bad_input, conflict (a model has this
  /// name, or the version can not be served as things are).
  runtime::expected<std::vector<model_entry>> set_alias(const std::string& alias,
                                                        const model_alias& target);

  /// The model is deleted: what was asked of it does not hold for another one of its name.
  void forget(const std::string& name);

  /// All versions, or those of one model or alias. Errors: model_not_found.
  runtime::expected<served_models> find(const std::string& name) const;
  served_models all() const;
  /// The version as it is served, or would be; the highest in the repository when `version` is
  /// empty. Null: there is none.
  const model_entry* entry(const std::string& name, const std::string& version) const;
  const models::serving_wishes& wishes() const noexcept {
    return wishes_;
  }
  const serving_revisions& revisions() const noexcept {
    return revisions_;
  }
  /// Whether requests are answered by agents of just this version, file and configuration.
  bool is_served(const model_entry& entry) const;
  std::size_t ready_count() const;
  /// Of the files that were sent and are needed.
  std::set<std::string> sent_digests() const;

private:
  using version_rows = std::map<std::uint64_t, served_version>;
  using entries = std::map<std::uint64_t, model_entry>;

  /// A model whose files were sent with a load.
  struct sent_model {
    entries versions;
    models::model_wish wish;
  };

  /// How high a version stands over those without steps, which have 1, by model and version; 0: it
  /// is not ready. What was looked at once is known.
  using heights = std::map<std::pair<std::string, std::string>, std::uint32_t>;

  /// A version that was loading is what it would be without the load.
  void give_back(const model_entry& entry, std::vector<model_entry>& gone);
  /// Whether this file is still that of its version.
  bool is_there(const model_entry& entry) const;
  /// The row of the entry's version, whatever stands in it; null when there is none.
  served_version* row_of(const model_entry& entry);
  const served_version* row_of(const model_entry& entry) const;
  /// The row that a step means: of its version, or the highest that is ready, or the highest.
  const served_version* row_of(const models::ensemble_step& step) const;
  /// The wish for the repository's model, or what stands where nobody has one.
  models::model_wish stored_wish(const std::string& name) const;
  /// The same for the model as it is.
  models::model_wish wish_of(const std::string& name) const;
  /// The versions that were sent, or else the repository's; none when there is no such model.
  const entries& available(const std::string& name) const;
  /// The versions of the model that aliases stand for.
  std::set<std::uint64_t> pinned(const std::string& name) const;
  runtime::expected<models::model_spec> spec_of(const entries& versions,
                                                const models::model_wish& wish) const;
  void refresh_model(const std::string& name, std::vector<model_entry>& gone);
  /// Lets the rows of a model be those of the versions that are available, and adds to `gone` what
  /// is served no longer.
  void settle(const std::string& name, std::vector<model_entry>& gone);
  static void add_chosen(load_plan& plan, const entries& versions, const models::model_spec& spec,
                         const std::set<std::uint64_t>& pins);
  runtime::expected<load_plan> choose_versions(load_plan plan, const entries& versions,
                                               const models::model_spec& spec,
                                               std::set<std::uint64_t> pins);
  /// Whether the models of the steps are there and fit, and of theirs, without a circle. `path`
  /// leads to the ensemble, by name; `fitting` ones are not looked at again. Errors: bad_input.
  runtime::expected<void> check_steps(const models::model_spec& spec,
                                      std::vector<std::string>& path,
                                      std::set<std::string>& fitting) const;
  /// Versions with this configuration, which turns out not to fit, are not ready.
  void take_out(const std::string& name, const models::model_spec& spec,
                const std::string& reason);
  runtime::expected<void> check_alias(const std::string& alias, const model_alias& target) const;
  void finish_companions(const load_plan& plan);
  std::vector<model_entry> swap_in(const load_plan& plan);
  void forget_sent(const std::string& name, std::vector<model_entry>& gone);
  void add_companions(load_plan& plan, const models::model_spec& spec, std::uint32_t depth) const;
  void add_unloads(const std::string& name, const std::string& version, bool dependents,
                   std::vector<model_entry>& gone, std::uint32_t depth);
  bool is_ready(const models::ensemble_step& step, heights& known) const;
  std::uint32_t height_of(const std::string& name, const std::string& version,
                          heights& known) const;
  served_version seen(const served_version& row, heights& known) const;

  bool serves_all_ = true;
  models::serving_wishes wishes_;
  serving_revisions revisions_;
  std::map<std::string, entries> catalogue_;
  std::map<std::string, sent_model> sent_;
  std::map<std::string, version_rows> rows_;
};

}  // namespace dim::actors
