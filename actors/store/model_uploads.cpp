#include <algorithm>
#include <chrono>

#include "actors/store/model_catalogue.hpp"
#include "actors/store/model_check.hpp"
#include "actors/store/serving_rules.hpp"
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
  if (table.wishes().aliases.contains(request.name))
    return runtime::fail(error_code::conflict, "an alias has the name '" + request.name + "'");
  return check{request, std::move(*spec), {}};
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
  prepared->path = *path;
  prepared->until_ms = end_of_wait(request.time_left_ms);
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
  if (!checks.contains(news.upload_id))
    return;
  if (news.error.code == error_code::none)
    bring_in(news.upload_id);
  else
    refuse_upload(news.upload_id, news.error);
}

model_entry models_state::uploaded_entry(const check& wanted) const {
  const finish_upload& request = wanted.request;
  std::string version = request.version;
  if (version.empty()) {
    const auto highest = arguments.repository->find(request.name, {});
    version = std::to_string(highest ? serving_rules::number_of(highest->version) + 1 : 1);
  }
  return {request.name,      version,
          request.digest,    request.byte_size,
          runtime::wall_ms(self->home_system()), wanted.spec};
}

void models_state::bring_in(const std::string& upload_id) {
  check& wanted = checks.at(upload_id);
  const std::string model = wanted.request.name;
  if (wanted.is_abandoned)
    return refuse_upload(upload_id, {error_code::cancelled, "the upload was abandoned", {}});
  if (table.wishes().aliases.contains(model))
    return refuse_upload(upload_id, {error_code::conflict,
                                     "an alias has the name '" + model + "'",
                                     {}});
  if (loads.contains(model)) {
    waiting_uploads.emplace(model, upload_id);
    return;
  }
  const model_entry uploaded = uploaded_entry(wanted);
  // Of a version that is there, the repository says whether it is the same.
  const bool is_there = arguments.repository->find(model, uploaded.version).has_value();
  using wanted_plan = runtime::expected<std::optional<serving_table::load_plan>>;
  auto plan = is_there ? wanted_plan{std::nullopt} : table.plan_upload(uploaded);
  if (!plan)
    return refuse_upload(upload_id, plan.error());
  if (*plan) {
    load_run run;
    run.plan = std::move(**plan);
    run.upload_id = upload_id;
    // Nobody else enters a version meanwhile.
    wanted.request.version = uploaded.version;
    return start_run(std::move(run), wanted.until_ms);
  }
  const auto entered = enter(upload_id);
  if (!entered)
    return refuse_upload(upload_id, entered.error());
  note_catalogue();
  answer_upload(upload_id, entry_of(*entered));
}

void models_state::refuse_upload(const std::string& upload_id, const runtime::failure& cause) {
  arguments.repository->abandon_upload(upload_id);
  if (auto found = checks.extract(upload_id))
    found.mapped().promise.deliver(runtime::to_error(cause));
}

runtime::expected<models::repository_entry> models_state::enter(const std::string& upload_id) {
  const auto found = checks.find(upload_id);
  if (found == checks.end() || found->second.is_abandoned)
    return runtime::fail(error_code::cancelled, "the upload was abandoned");
  const check& wanted = found->second;
  return arguments.repository->commit_upload(upload_id, wanted.request.name,
                                             wanted.request.version, wanted.spec);
}

void models_state::answer_upload(const std::string& upload_id, const model_entry& entered) {
  runtime::log(runtime::log_level::info, name, "entered a model",
               {{"model", entered.name}, {"version", entered.version}});
  const model_entry* served = table.entry(entered.name, entered.version);
  if (auto found = checks.extract(upload_id))
    found.mapped().promise.deliver(served != nullptr ? *served : entered);
}

void models_state::bring_in_waiting(const std::string& model) {
  const auto next = waiting_uploads.find(model);
  if (next == waiting_uploads.end() || loads.contains(model))
    return;
  const std::string upload_id = next->second;
  waiting_uploads.erase(next);
  if (checks.contains(upload_id))
    bring_in(upload_id);
  bring_in_waiting(model);
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
