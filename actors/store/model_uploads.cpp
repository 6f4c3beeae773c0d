#include <algorithm>
#include <chrono>

#include "actors/store/model_catalogue.hpp"
#include "actors/store/model_check.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/log.hpp"
#include "runtime/spawn.hpp"

namespace dim::actors {

using runtime::error_code;

caf::result<upload_progress> models_state::take_block(const upload_block& request) {
  auto& repository = *arguments.repository;
  if (checks.contains(request.upload_id))
    return runtime::to_error(error_code::bad_input, "the upload has been finished already");
  if (!request.writer.empty() || resumables.contains(request.upload_id))
    if (auto allowed = check_writer(request.upload_id, request.writer); !allowed)
      return runtime::to_error(allowed.error());
  const bool is_resumable = !request.writer.empty();
  if (request.offset == 0 && !is_resumable)
    if (auto begun = repository.begin_upload(request.upload_id); !begun)
      return runtime::to_error(begun.error());
  auto received = repository.append(request.upload_id, request.offset, request.data.view());
  if (!received) {
    uploads.erase(request.upload_id);
    return runtime::to_error(received.error());
  }
  watch_uploads();
  const auto now = runtime::wall_ms(self->home_system());
  if (is_resumable)
    resumables[request.upload_id].at_ms = now;
  else
    uploads[request.upload_id] = now;
  return upload_progress{*received};
}

runtime::expected<void> models_state::check_writer(const std::string& upload_id,
                                                   const std::string& writer) const {
  const auto found = resumables.find(upload_id);
  if (found == resumables.end())
    return runtime::fail(error_code::not_found, "there is no open upload \"" + upload_id + "\"");
  if (writer.empty() || found->second.writer != writer)
    return runtime::fail(error_code::cancelled, "another request goes on with this upload");
  return {};
}

caf::result<upload_progress> models_state::resume(resume_upload& request) {
  const auto& wish = request.wish;
  if (checks.contains(wish.upload_id))
    return runtime::to_error(error_code::unavailable, "the upload is being checked; ask again");
  const auto& repository = *arguments.repository;
  const auto entry = wish.version.empty()
                       ? runtime::fail(error_code::not_found, "the next version")
                       : repository.find(wish.name, wish.version);
  if (entry && entry->digest == wish.digest)
    return upload_progress{entry->byte_size, true};
  if (entry)
    return runtime::to_error(error_code::conflict, "version " + wish.version + " of \"" + wish.name
                                                     + "\" exists with other bytes");
  if (!wish.writer.empty())
    if (auto prepared = prepare(wish); !prepared)
      return runtime::to_error(prepared.error());
  auto progress = take_over(request);
  if (!progress)
    return runtime::to_error(progress.error());
  return *progress;
}

runtime::expected<upload_progress> models_state::take_over(const resume_upload& request) {
  const auto& wish = request.wish;
  auto& repository = *arguments.repository;
  const bool is_known = resumables.contains(wish.upload_id);
  if (!is_known && (wish.writer.empty() || request.offset > 0))
    return upload_progress{};
  auto received = repository.resume_upload(wish.upload_id, wish.byte_size);
  if (!received)
    return tl::unexpected(received.error());
  if (wish.writer.empty() || *received != request.offset)
    return upload_progress{*received};
  watch_uploads();
  resumables[wish.upload_id] = {wish.writer, runtime::wall_ms(self->home_system())};
  return upload_progress{*received};
}

caf::result<upload_progress> models_state::pause(const pause_upload& request) {
  if (auto allowed = check_writer(request.upload_id, request.writer); !allowed)
    return runtime::to_error(allowed.error());
  auto flushed = arguments.repository->flush_upload(request.upload_id);
  if (!flushed)
    return runtime::to_error(flushed.error());
  resumables[request.upload_id].writer.clear();
  return upload_progress{*flushed};
}

runtime::expected<models_state::check> models_state::prepare(
  const finish_upload& request) const {
  auto spec = models::parse_model_spec(request.config_toml);
  if (!spec)
    return tl::unexpected(std::move(spec.error()));
  if (spec->name.empty())
    spec->name = request.name;
  std::vector<std::string> problems;
  if (!models::is_model_name(request.name))
    problems.push_back("name: expected 1 to 128 letters, digits, '.', '_' and '-', first a letter"
                       " or digit");
  else if (spec->name != request.name)
    problems.push_back("config: the model is called " + spec->name + " there, not "
                       + request.name);
  if (!request.version.empty() && !models::is_version(request.version))
    problems.push_back("version: expected a whole number from 1 up");
  if (!problems.empty())
    return runtime::fail(error_code::bad_input, problems.front(), problems);
  return check{request, std::move(*spec), {}, false};
}

runtime::expected<void> models_state::start_check(const check& wanted,
                                                  const std::filesystem::path& path) {
  const auto spec_path = path.parent_path() / "spec.toml";
  if (auto written = models::write_atomically(spec_path, models::to_toml(wanted.spec)); !written)
    return written;
  runtime::child_run run;
  run.program = arguments.check_program;
  run.arguments = {"--verify", path.string(), "--spec", spec_path.string()};
  run.time_max = std::chrono::milliseconds{arguments.check_timeout_ms};
  runtime::spawn_detached(self->home_system(), *self, model_check,
                          model_check_owner{models_with_timers{self}}, wanted.request.upload_id,
                          std::move(run));
  return {};
}

caf::result<model_entry> models_state::finish(finish_upload& request) {
  const std::string upload_id = request.upload_id;
  if (checks.contains(upload_id))
    return runtime::to_error(error_code::conflict, "the upload is being checked already");
  if (!request.writer.empty() || resumables.contains(upload_id))
    if (auto allowed = check_writer(upload_id, request.writer); !allowed)
      return runtime::to_error(allowed.error());
  auto prepared = prepare(request);
  if (!prepared) {
    abandon(upload_id);
    return runtime::to_error(prepared.error());
  }
  const auto& sent = prepared->request;
  auto path = arguments.repository->seal_upload(upload_id, sent.byte_size, sent.digest);
  auto started = path ? start_check(*prepared, *path)
                      : runtime::expected<void>{tl::unexpected(path.error())};
  if (!started) {
    abandon(upload_id);
    return runtime::to_error(started.error());
  }
  uploads.erase(upload_id);
  resumables.erase(upload_id);
  prepared->promise = self->make_response_promise<model_entry>();
  auto promise = prepared->promise;
  checks.emplace(upload_id, std::move(*prepared));
  return promise;
}

void models_state::abandon(const std::string& upload_id) {
  uploads.erase(upload_id);
  resumables.erase(upload_id);
  if (const auto found = checks.find(upload_id); found != checks.end())
    found->second.is_abandoned = true;
  else
    arguments.repository->abandon_upload(upload_id);
}

void models_state::note_checked(const model_checked& news) {
  auto found = checks.extract(news.upload_id);
  if (!found)
    return;
  auto& [request, spec, promise, is_abandoned] = found.mapped();
  auto error = news.error;
  if (is_abandoned)
    error = {error_code::cancelled, "the upload was abandoned", {}};
  if (error.code != error_code::none) {
    arguments.repository->abandon_upload(news.upload_id);
    promise.deliver(runtime::to_error(error));
    return;
  }
  auto entered = arguments.repository->commit_upload(news.upload_id, request.name,
                                                     request.version, std::move(spec));
  if (!entered) {
    promise.deliver(runtime::to_error(entered.error()));
    return;
  }
  runtime::log(runtime::log_level::info, name, "entered a model",
               {{"model", entered->name}, {"version", entered->version}});
  note_catalogue();
  promise.deliver(entry_of(*entered));
}

void models_state::watch_uploads() {
  if (!std::exchange(is_watching, true))
    self->delayed_send(self, std::chrono::milliseconds{arguments.upload_idle_ms}, uploads_due{});
}

void models_state::drop_idle_uploads() {
  is_watching = false;
  const auto now = runtime::wall_ms(self->home_system());
  const auto last = now - arguments.upload_idle_ms;
  for (auto upload = uploads.begin(); upload != uploads.end();) {
    if (upload->second > last) {
      ++upload;
      continue;
    }
    arguments.repository->abandon_upload(upload->first);
    upload = uploads.erase(upload);
  }
  drop_resumables(now);
  if (!uploads.empty() || !resumables.empty())
    watch_uploads();
}

void models_state::drop_resumables(std::int64_t now) {
  const auto last = now - static_cast<std::int64_t>(arguments.resumable_keep_ms);
  for (auto upload = resumables.begin(); upload != resumables.end();) {
    if (upload->second.at_ms > last) {
      ++upload;
      continue;
    }
    arguments.repository->abandon_upload(upload->first);
    upload = resumables.erase(upload);
  }
}

void models_state::read_resumable() {
  const auto now = runtime::wall_ms(self->home_system());
  for (const auto& each : arguments.repository->resumable_uploads())
    resumables[each.id] = {{}, std::min(each.written_at, now)};
  if (!resumables.empty())
    watch_uploads();
}

}  // namespace dim::actors
