#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/router/interface.hpp"
#include "actors/store/interface.hpp"
#include "actors/store/serving_table.hpp"
#include "config/options.hpp"
#include "models/repository.hpp"
#include "models/sent_store.hpp"
#include "runtime/actor_base.hpp"
#include "runtime/blob_store.hpp"
#include "runtime/service.hpp"

namespace dim::actors {

/// What MODELS gets beside what others send.
using models_with_timers = models_actor::extend<
  // INTERNAL: from MODEL_CHECK.
  caf::reacts_to<model_checked>,
  // INTERNAL: look for uploads to which nothing came any more.
  caf::reacts_to<uploads_due>>;

struct models_arguments {
  std::shared_ptr<models::repository> repository;
  std::shared_ptr<runtime::blob_store> blobs;
  /// The program that opens uploaded files: `PROGRAM --verify MODEL --spec SPEC.toml`.
  std::string check_program;
  std::uint32_t check_timeout_ms = 120'000;
  std::uint32_t upload_idle_ms = 60'000;
  /// An upload in parts is kept for so long after its last block.
  std::uint64_t resumable_keep_ms = 24ull * 3'600'000;
  /// Prepares what is loaded, lets go what is unloaded, and is told of every change.
  runtime::service<router_actor> router;
  config::serving_options serving;
};

/// Who would wait longer for a model to start or to end waits for so long.
inline constexpr std::uint64_t model_change_ms_max = 24 * 3'600'000;

/// The catalogue of models. An upload:
///
///   open --finish_upload--> checking --model_checked--> preparing --model_prepared--> entered
///     \____ idle, abandoned, or any error: nothing is left _________________________/
///
/// The file is opened by a MODEL_CHECK actor, so that MODELS answers others meanwhile. It is only
/// prepared where another version of the model is in service, which stays there until then; where
/// no node can say whether it starts, it is entered all the same. An upload in
/// parts stays when its connection breaks and when this process ends, until its time is over:
///
///   --resume_upload--> written --pause_upload--> waiting --resume_upload--> written ...
///                        |  ^ another writer takes over where it stands
///                        +--finish_upload--> checking, as above
///
/// What is served is the `serving_table`'s to say. MODELS asks ROUTER, which is started after it,
/// to prepare and to let go: always with a deadline, since ROUTER may be down; a restart of MODELS
/// starts ROUTER anew.
struct models_state {
  static inline const char* name = "MODELS";
  using self_pointer = runtime::actor_self<models_with_timers, models_state>;

  void initialise(self_pointer pointer, models_arguments values);

  caf::result<model_entry> find(const find_model& request) const;
  model_list list() const;
  caf::result<upload_progress> take_block(const upload_block& request);
  caf::result<model_entry> finish(finish_upload& request);
  caf::result<upload_progress> resume(resume_upload& request);
  caf::result<upload_progress> pause(const pause_upload& request);
  void abandon(const std::string& upload_id);
  void note_checked(const model_checked& news);
  caf::result<model_list> remove(const remove_model& request);
  caf::result<chunk> fetch(const fetch_chunk& request) const;
  void drop_idle_uploads();
  caf::result<served_models> served(const get_served_models& request) const;
  caf::result<served_models> load(const load_served_model& request);
  caf::result<served_models> unload(const unload_served_model& request);
  caf::result<model_alias> set_alias(const set_model_alias& request);
  /// Answers whoever waits for a check: MODELS ends.
  void refuse_all();
  std::string describe() const;

private:
  /// A file that is being opened.
  struct check {
    finish_upload request;
    models::model_spec spec;
    caf::typed_response_promise<model_entry> promise;
    /// The file goes away when the program that has it open, or the node that prepares it, has
    /// ended.
    bool is_abandoned = false;
    /// The sealed file.
    std::filesystem::path path = {};
    /// When the sender waits no longer.
    std::int64_t until_ms = 0;
  };

  /// An upload in parts.
  struct resumable {
    /// Of whom blocks are taken; empty: of nobody, before `resume`.
    std::string writer;
    /// When the last block came.
    std::int64_t at_ms = 0;
  };

  // model_uploads.cpp
  /// Checks what can be checked without opening the file, and seals it.
  runtime::expected<check> prepare(const finish_upload& request) const;
  runtime::expected<void> check_writer(const std::string& upload_id,
                                       const std::string& writer) const;
  runtime::expected<upload_progress> take_over(const resume_upload& request);
  void read_resumable();
  /// Starts the program that opens the sealed file at `path`.
  runtime::expected<void> start_check(const check& wanted, const std::filesystem::path& path);
  /// What the upload will be in the catalogue.
  model_entry uploaded_entry(const check& wanted) const;
  /// The file is a model: lets it be prepared, or enters it at once.
  void bring_in(const std::string& upload_id);
  /// Answers an upload whose file is not entered.
  void refuse_upload(const std::string& upload_id, const runtime::failure& cause);
  /// Makes a version of the checked file.
  runtime::expected<models::repository_entry> enter(const std::string& upload_id);
  void answer_upload(const std::string& upload_id, const model_entry& entered);
  /// Goes on with the uploads that waited for the load of this model.
  void bring_in_waiting(const std::string& name);
  void watch_uploads();
  void drop_resumables(std::int64_t now);

  using served_promise = caf::typed_response_promise<served_models>;
  /// An alias that waits for the version which it is to stand for.
  struct alias_change {
    set_model_alias request;
    caf::typed_response_promise<model_alias> promise;
  };
  /// A model on its way into service: by a load, an upload, or an alias.
  struct load_run {
    serving_table::load_plan plan;
    /// As asked for: who asks for the same waits for the same end.
    load_served_model request;
    std::int64_t until_ms = 0;
    /// What ROUTER has to prepare, and how much of it is done.
    std::vector<model_entry> versions;
    std::size_t prepared = 0;
    std::vector<served_promise> waiting;
    /// Its files came with the request, which keeps them no longer.
    bool is_sent = false;
    /// The upload that it enters, or else empty.
    std::string upload_id = {};
    std::optional<alias_change> alias = {};
  };
  struct unload_run {
    std::string name;
    std::vector<model_entry> versions;
    std::size_t retired = 0;
    served_promise promise;
  };

  // model_serving.cpp
  std::int64_t now_ms() const;
  /// When a sender that waits `time_left_ms` from now waits no longer.
  std::int64_t end_of_wait(std::uint64_t time_left_ms) const;
  void start_serving();
  /// The repository has changed: ROUTER is told, and versions that are gone are let go.
  void note_catalogue();
  void announce();
  /// What is to be served as `next` has it, and as MODELS has it once it is on the disk.
  runtime::expected<void> save_wishes(const serving_table& next);
  /// Keeps the revisions over a restart, as well as the disk lets it.
  void save_revisions();
  runtime::expected<serving_table::load_plan> plan_load(const load_served_model& request);
  void start_run(load_run run, std::int64_t until_ms);
  void prepare_next(const std::string& name);
  /// `cause` keeps the version from being prepared that is next.
  void note_unprepared(const std::string& name, const runtime::failure& cause);
  void finish_load(load_run done);
  void fail_load(load_run run, const runtime::failure& cause);
  void answer_failed(load_run& run, const runtime::failure& cause);
  /// Changes an alias whose version, if it names one, is served.
  runtime::expected<void> take_alias(const set_model_alias& request);
  template <class Done>
  void retire(const model_entry& entry, std::uint64_t time_left_ms, Done done);
  void retire_all(const std::vector<model_entry>& gone);
  void note_retired(std::uint64_t run);
  void refuse_runs();

  // model_sent.cpp
  /// Keeps the files of the request, and makes versions of them.
  runtime::expected<serving_table::load_plan> plan_sent(const load_served_model& request);
  runtime::expected<std::vector<model_entry>> keep_sent(const load_served_model& request);
  /// The request's configuration, with the labels that are in files.
  runtime::expected<std::string> labelled_config(const load_served_model& request) const;
  /// Removes files that were sent and that nobody needs.
  void drop_sent();

  self_pointer self = nullptr;
  models_arguments arguments;
  /// When the last block came, by upload; not those that are being checked.
  std::map<std::string, std::int64_t> uploads;
  std::map<std::string, resumable> resumables;
  /// `uploads_due` is on its way.
  bool is_watching = false;
  std::map<std::string, check> checks;
  /// Checked uploads that wait for a load of their model, by model, in order.
  std::multimap<std::string, std::string> waiting_uploads;
  serving_table table;
  /// What is on the disk.
  models::serving_wishes saved_wishes;
  std::string saved_revisions;
  models::sent_store sent;
  /// Digests of what is being let go: requests under way may need the files.
  std::multiset<std::string> retiring;
  /// Of `served_models`: grows with each change.
  std::uint64_t serving_revision = 0;
  std::map<std::string, load_run> loads;  // by model
  std::map<std::uint64_t, unload_run> unloads;
  std::uint64_t last_unload = 0;
};

/// The message form of what the repository has.
model_entry entry_of(const models::repository_entry& entry);

/// MODELS, started detached by the root supervisor.
models_with_timers::behavior_type model_catalogue(models_state::self_pointer self,
                                                  models_arguments arguments);

}  // namespace dim::actors
