#pragma once

#include <memory>
#include <string>

#include <caf/typed_actor.hpp>

#include "actors/store/backup.hpp"
#include "runtime/actor_base.hpp"

namespace dim::actors {

/// BACKUP RUN makes one backup, tells BACKUP how it went, and quits.
using backup_run_actor = caf::typed_actor<
  // INTERNAL: begin; nothing else is handled before the end.
  caf::reacts_to<backup_due>>;

struct backup_run_arguments {
  backup_arguments source;
  std::string folder;
  std::shared_ptr<backup_progress> progress;
  backup_with_runs owner;
};

struct backup_run_state {
  static inline const char* name = "BACKUP RUN";
  static constexpr bool works_long = true;
  using self_pointer = runtime::actor_self<backup_run_actor, backup_run_state>;

  std::string describe() const {
    return arguments.folder;
  }

  backup_run_arguments arguments;
};

/// Started detached by BACKUP.
backup_run_actor::behavior_type backup_run(backup_run_state::self_pointer self,
                                           backup_run_arguments arguments);

}  // namespace dim::actors
