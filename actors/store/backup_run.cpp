#include "actors/store/backup_run.hpp"

#include "actors/type_ids.hpp"

namespace dim::actors {

backup_run_actor::behavior_type backup_run(backup_run_state::self_pointer self,
                                           backup_run_arguments arguments) {
  self->state.arguments = std::move(arguments);
  self->send(self, backup_due{});
  return {
    [self](backup_due) {
      auto& wish = self->state.arguments;
      backup_source source{wish.source.cluster, *wish.source.database, *wish.source.blobs,
                           wish.source.models_folder};
      auto now = runtime::wall_ms(self->home_system());
      auto made = make_backup(source, wish.folder, now, *wish.progress);
      self->send(wish.owner, backup_ended{made ? runtime::failure{} : made.error()});
      self->quit();
    },
  };
}

}  // namespace dim::actors
