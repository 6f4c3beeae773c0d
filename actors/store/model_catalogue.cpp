#include "actors/store/model_catalogue.hpp"

#include <chrono>

#include "actors/store/model_check.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/log.hpp"
#include "runtime/spawn.hpp"

namespace dim::actors {

using runtime::error_code;

namespace {

constexpr std::uint32_t chunk_bytes_max = 1 << 20;

}  // namespace

model_entry entry_of(const models::repository_entry& entry) {
  return {entry.name,      entry.version,    entry.digest,
          entry.byte_size, entry.created_at, entry.spec};
}

void models_state::initialise(self_pointer pointer, models_arguments values) {
  self = pointer;
  arguments = std::move(values);
  self->set_exit_handler([this](caf::exit_msg& message) {
    refuse_all();
    self->quit(std::move(message.reason));
  });
  for (const auto& problem : arguments.repository->problems())
    runtime::log(runtime::log_level::warn, name, "left out a model", {{"reason", problem}});
  start_serving();
}

caf::result<model_entry> models_state::find(const find_model& request) const {
  if (const auto run = loads.find(request.name); run != loads.end())
    for (const model_entry& entry : run->second.plan.versions)
      if (entry.version == request.version)
        return entry;
  if (const model_entry* entry = table.entry(request.name, request.version))
    return *entry;
  const auto entry = arguments.repository->find(request.name, request.version);
  if (!entry)
    return runtime::to_error(entry.error());
  return entry_of(*entry);
}

model_list models_state::list() const {
  model_list result;
  for (const auto& entry : arguments.repository->list())
    result.models.push_back(entry_of(entry));
  return result;
}

caf::result<upload_progress> models_state::take_block(const upload_block& request) {
  auto& repository = *arguments.repository;
  if (checks.contains(request.upload_id))
    return runtime::to_error(error_code::bad_input, "the upload has been finished already");
  if (request.offset == 0)
    if (auto begun = repository.begin_upload(request.upload_id); !begun)
      return runtime::to_error(begun.error());
  auto received = repository.append(request.upload_id, request.offset, request.data.view());
  if (!received) {
    uploads.erase(request.upload_id);
    return runtime::to_error(received.error());
  }
  watch_uploads();
  uploads[request.upload_id] = runtime::wall_ms(self->home_system());
  return upload_progress{*received};
}

runtime::expected<models_state::check> models_state::prepare(finish_upload& request) {
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
  return check{std::move(request), std::move(*spec), {}, false};
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
  prepared->promise = self->make_response_promise<model_entry>();
  auto promise = prepared->promise;
  checks.emplace(upload_id, std::move(*prepared));
  return promise;
}

void models_state::abandon(const std::string& upload_id) {
  uploads.erase(upload_id);
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

caf::result<model_list> models_state::remove(const remove_model& request) {
  if (auto removed = arguments.repository->remove(request.name, request.version); !removed)
    return runtime::to_error(removed.error());
  note_catalogue();
  model_list left;
  for (const auto& entry : arguments.repository->list())
    if (entry.name == request.name)
      left.models.push_back(entry_of(entry));
  return left;
}

caf::result<chunk> models_state::fetch(const fetch_chunk& request) const {
  if (request.length == 0 || request.length > chunk_bytes_max)
    return runtime::to_error(error_code::bad_input, "length: expected 1 to 1048576 bytes");
  auto block = arguments.repository->read_chunk(request.digest, request.offset, request.length);
  if (block)
    return chunk{std::move(block->data), block->total_size};
  if (block.error().code != error_code::not_found)
    return runtime::to_error(block.error());
  auto part = arguments.blobs->read_chunk(request.digest, request.offset, request.length);
  if (!part)
    return runtime::to_error(part.error());
  return chunk{std::move(part->data), part->total_size};
}

void models_state::watch_uploads() {
  if (!std::exchange(is_watching, true))
    self->delayed_send(self, std::chrono::milliseconds{arguments.upload_idle_ms}, uploads_due{});
}

void models_state::drop_idle_uploads() {
  is_watching = false;
  const auto last = runtime::wall_ms(self->home_system()) - arguments.upload_idle_ms;
  for (auto upload = uploads.begin(); upload != uploads.end();) {
    if (upload->second > last) {
      ++upload;
      continue;
    }
    arguments.repository->abandon_upload(upload->first);
    upload = uploads.erase(upload);
  }
  if (!uploads.empty())
    watch_uploads();
}

void models_state::refuse_all() {
  for (auto& [id, check] : checks)
    check.promise.deliver(
      runtime::to_error(error_code::unavailable, "the catalogue of models is stopping"));
  checks.clear();
  refuse_runs();
}

std::string models_state::describe() const {
  return std::to_string(arguments.repository->list().size()) + " versions, "
         + std::to_string(table.ready_count()) + " served, "
         + std::to_string(uploads.size()) + " uploads, " + std::to_string(checks.size())
         + " checks";
}

models_with_timers::behavior_type model_catalogue(models_state::self_pointer self,
                                                  models_arguments arguments) {
  auto& state = self->state;
  state.initialise(self, std::move(arguments));
  return {
    [&state](const find_model& request) { return state.find(request); },
    [&state](list_models) { return state.list(); },
    [&state](const upload_block& request) { return state.take_block(request); },
    [&state](finish_upload& request) { return state.finish(request); },
    [&state](const abandon_upload& request) { state.abandon(request.upload_id); },
    [&state](const remove_model& request) { return state.remove(request); },
    [&state](const fetch_chunk& request) { return state.fetch(request); },
    [&state](const get_served_models& request) { return state.served(request); },
    [&state](const load_served_model& request) { return state.load(request); },
    [&state](const unload_served_model& request) { return state.unload(request); },
    [&state](const set_model_alias& request) { return state.set_alias(request); },
    [&state](const model_checked& news) { state.note_checked(news); },
    [&state](uploads_due) { state.drop_idle_uploads(); },
  };
}

}  // namespace dim::actors
