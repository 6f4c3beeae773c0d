#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "actors/store/backup_copy.hpp"
#include "actors/store/database.hpp"
#include "actors/store/interface.hpp"
#include "runtime/actor_base.hpp"
#include "runtime/blob_store.hpp"

namespace dim::actors {

/// What BACKUP gets beside what others send.
using backup_with_runs = backup_actor::extend<
  // INTERNAL: from BACKUP RUN.
  caf::reacts_to<backup_ended>>;

struct backup_arguments {
  std::string cluster;
  database_pointer database;
  std::shared_ptr<runtime::blob_store> blobs;
  std::filesystem::path models_folder;
};

/// Makes backups while the orchestrator works, one at a time, each in a BACKUP RUN of its own.
///
///   none, done, failed --start_backup--> running --> done | failed
struct backup_actor_state {
  static inline const char* name = "BACKUP";
  using self_pointer = runtime::actor_self<backup_with_runs, backup_actor_state>;

  ~backup_actor_state();

  caf::result<backup_status> start(const start_backup& wish);
  backup_status status() const;
  void note_ended(const backup_ended& news);
  void note_down(const caf::down_msg& news);
  std::string describe() const;

  self_pointer self = nullptr;
  backup_arguments arguments;
  backup_status latest;
  std::shared_ptr<backup_progress> progress = std::make_shared<backup_progress>();
};

backup_with_runs::behavior_type backup(backup_actor_state::self_pointer self,
                                       backup_arguments arguments);

}  // namespace dim::actors
