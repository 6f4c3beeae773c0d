#pragma once

#include <cstdint>
#include <map>
#include <memory>
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

/// The catalogue of models. An upload:
///
///   open --finish_upload--> checking --model_checked--> entered
///     \____ idle, abandoned, or any error: nothing is left ____/
///
/// The file is opened by a MODEL_CHECK actor, so that MODELS answers others meanwhile. An upload in
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
    /// The file goes away when the program that has it open has ended.
    bool is_abandoned = false;
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
  void watch_uploads();
  void drop_resumables(std::int64_t now);

  using served_promise = caf::typed_response_promise<served_models>;
  /// A model on its way into service.
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
  };
  struct unload_run {
    std::string name;
    std::vector<model_entry> versions;
    std::size_t retired = 0;
    served_promise promise;
  };

  // model_serving.cpp
  std::int64_t now_ms() const;
  void start_serving();
  /// The repository has changed: ROUTER is told, and versions that are gone are let go.
  void note_catalogue();
  void announce();
  runtime::expected<void> save_wishes();
  runtime::expected<serving_table::load_plan> plan_load(const load_served_model& request);
  void prepare_next(const std::string& name);
  void finish_load(load_run done);
  void fail_load(const std::string& name, const runtime::failure& cause);
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
  serving_table table;
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
