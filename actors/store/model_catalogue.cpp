#include "actors/store/model_catalogue.hpp"

#include "runtime/caf_errors.hpp"
#include "runtime/log.hpp"

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
  sent = models::sent_store{arguments.repository->sent_folder()};
  read_resumable();
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

caf::result<model_list> models_state::remove(const remove_model& request) {
  if (auto removed = arguments.repository->remove(request.name, request.version); !removed)
    return runtime::to_error(removed.error());
  retire_all(table.refresh(list().models));
  table.forget(request.name);
  // It is removed all the same: a full disk must not keep people from making space.
  (void)save_wishes(table);
  announce();
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
  if (!block && block.error().code == error_code::not_found)
    block = sent.read_chunk(request.digest, request.offset, request.length);
  for (const auto& [id, check] : checks)
    if (!block && check.request.digest == request.digest)
      if (auto read = models::read_block(check.path, request.offset, request.length))
        block = models::file_block{std::move(*read), check.request.byte_size};
  if (block)
    return chunk{std::move(block->data), block->total_size};
  if (block.error().code != error_code::not_found)
    return runtime::to_error(block.error());
  auto part = arguments.blobs->read_chunk(request.digest, request.offset, request.length);
  if (!part)
    return runtime::to_error(part.error());
  return chunk{std::move(part->data), part->total_size};
}

caf::result<model_alias> models_state::set_alias(const set_model_alias& request) {
  const model_alias& target = request.target;
  for (const std::string& model : {request.alias, target.version.empty() ? "" : target.model})
    if (loads.contains(model))
      return runtime::to_error(error_code::conflict, "'" + model
                                                       + "' is on its way into service; try again");
  if (!target.model.empty()) {
    auto plan = table.plan_alias(request.alias, target);
    if (!plan)
      return runtime::to_error(plan.error());
    if (*plan) {
      table.begin_load(**plan);
      announce();
      auto promise = self->make_response_promise<model_alias>();
      load_run run;
      run.plan = std::move(**plan);
      run.alias = alias_change{request, promise};
      start_run(std::move(run), end_of_wait(request.time_left_ms));
      return promise;
    }
  }
  if (auto taken = take_alias(request); !taken)
    return runtime::to_error(taken.error());
  return target;
}

runtime::expected<void> models_state::take_alias(const set_model_alias& request) {
  serving_table next = table;
  const auto gone = next.set_alias(request.alias, request.target);
  if (!gone)
    return tl::unexpected(gone.error());
  if (auto saved = save_wishes(next); !saved)
    return saved;
  table = std::move(next);
  announce();
  retire_all(*gone);
  return {};
}

void models_state::refuse_all() {
  for (auto& [id, check] : checks)
    check.promise.deliver(
      runtime::to_error(error_code::unavailable, "the catalogue of models is stopping"));
  checks.clear();
  waiting_uploads.clear();
  refuse_runs();
}

std::string models_state::describe() const {
  return std::to_string(arguments.repository->list().size()) + " versions, "
         + std::to_string(table.ready_count()) + " served, "
         + std::to_string(uploads.size() + resumables.size()) + " uploads, "
         + std::to_string(checks.size()) + " checks, "
         + std::to_string(sent.digests().size()) + " files sent with a load";
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
    [&state](resume_upload& request) { return state.resume(request); },
    [&state](const pause_upload& request) { return state.pause(request); },
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
