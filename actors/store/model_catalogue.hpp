#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "actors/store/interface.hpp"
#include "models/repository.hpp"
#include "runtime/actor_base.hpp"
#include "runtime/blob_store.hpp"

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
};

/// The catalogue of models. An upload:
///
///   open --finish_upload--> checking --model_checked--> entered
///     \____ idle, abandoned, or any error: nothing is left ____/
///
/// The file is opened by a MODEL_CHECK actor, so that MODELS answers others meanwhile.
struct models_state {
  static inline const char* name = "MODELS";
  using self_pointer = runtime::actor_self<models_with_timers, models_state>;

  void initialise(self_pointer pointer, models_arguments values);

  caf::result<model_entry> find(const find_model& request) const;
  model_list list() const;
  caf::result<upload_progress> take_block(const upload_block& request);
  caf::result<model_entry> finish(finish_upload& request);
  void abandon(const std::string& upload_id);
  void note_checked(const model_checked& news);
  caf::result<model_list> remove(const remove_model& request);
  caf::result<chunk> fetch(const fetch_chunk& request) const;
  void drop_idle_uploads();
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

  /// Checks what can be checked without opening the file, and seals it.
  runtime::expected<check> prepare(finish_upload& request);
  /// Starts the program that opens the sealed file at `path`.
  runtime::expected<void> start_check(const check& wanted, const std::filesystem::path& path);
  void watch_uploads();

  self_pointer self = nullptr;
  models_arguments arguments;
  /// When the last block came, by upload; not those that are being checked.
  std::map<std::string, std::int64_t> uploads;
  /// `uploads_due` is on its way.
  bool is_watching = false;
  std::map<std::string, check> checks;
};

/// MODELS, started detached by the root supervisor.
models_with_timers::behavior_type model_catalogue(models_state::self_pointer self,
                                                  models_arguments arguments);

}  // namespace dim::actors
