#include "actors/store/backup.hpp"

#include "actors/store/backup_run.hpp"
#include "actors/type_ids.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/enum_names.hpp"
#include "runtime/log.hpp"
#include "runtime/spawn.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

constexpr runtime::enum_names<4> state_names{"none", "running", "done", "failed"};

}  // namespace

std::string_view to_string(backup_state value) noexcept {
  return runtime::name_of(state_names, value);
}

backup_actor_state::~backup_actor_state() {
  progress->is_cancelled = true;
}

caf::result<backup_status> backup_actor_state::start(const start_backup& wish) {
  if (latest.state == backup_state::running)
    return runtime::to_error(error_code::conflict,
                             "a backup into " + latest.folder + " is running");
  if (!std::filesystem::path{wish.folder}.is_absolute())
    return runtime::to_error(error_code::bad_input, "the folder of a backup is an absolute path");
  latest = {};
  latest.state = backup_state::running;
  latest.folder = wish.folder;
  latest.started_at = runtime::wall_ms(self->home_system());
  progress = std::make_shared<backup_progress>();
  auto run = runtime::spawn_detached(
    self->system(), *self, backup_run,
    backup_run_arguments{arguments, wish.folder, progress, backup_with_runs{self}});
  self->monitor(run);
  runtime::log(runtime::log_level::info, name, "begins backup", {{"folder", wish.folder}});
  return status();
}

backup_status backup_actor_state::status() const {
  auto result = latest;
  result.files = progress->files;
  result.bytes = progress->bytes;
  return result;
}

void backup_actor_state::note_ended(const backup_ended& news) {
  auto is_good = news.error.code == error_code::none;
  latest.state = is_good ? backup_state::done : backup_state::failed;
  latest.ended_at = runtime::wall_ms(self->home_system());
  latest.error = news.error;
  runtime::log(is_good ? runtime::log_level::info : runtime::log_level::error, name,
               is_good ? "made backup" : "could not make backup",
               {{"folder", latest.folder},
                {"files", std::uint64_t{progress->files}},
                {"reason", news.error.message}});
}

void backup_actor_state::note_down(const caf::down_msg& news) {
  // A run that ends without a word has crashed; its word comes before its end.
  if (latest.state == backup_state::running)
    note_ended({runtime::to_failure(news.reason)});
}

std::string backup_actor_state::describe() const {
  return std::string{to_string(latest.state)} + " " + latest.folder;
}

backup_with_runs::behavior_type backup(backup_actor_state::self_pointer self,
                                       backup_arguments arguments) {
  auto& state = self->state;
  state.self = self;
  state.arguments = std::move(arguments);
  self->set_down_handler([&state](caf::down_msg& news) { state.note_down(news); });
  return {
    [&state](const start_backup& wish) { return state.start(wish); },
    [&state](get_backup) { return state.status(); },
    [&state](const backup_ended& news) { state.note_ended(news); },
  };
}

}  // namespace dim::actors
