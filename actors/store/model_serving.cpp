#include <algorithm>
#include <chrono>

#include "actors/store/model_catalogue.hpp"
#include "actors/type_ids.hpp"
#include "models/disk_file.hpp"
#include "models/sent_model.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/log.hpp"

namespace dim::actors {

using runtime::error_code;

namespace {

// ROUTER answers within the time it is given; this is for one that ends meanwhile.
constexpr std::uint64_t answer_grace_ms = 1'000;

std::chrono::milliseconds waiting_time(std::uint64_t time_left_ms) {
  return std::chrono::milliseconds{std::min(time_left_ms, model_change_ms_max) + answer_grace_ms};
}

constexpr std::uint64_t revisions_bytes_max = 64 << 20;

std::filesystem::path revisions_path(const models::repository& repository) {
  return repository.wishes_path().parent_path() / ".revisions";
}

/// Whether the failure says nothing about the version: nobody was there who could tell.
bool is_undecided(error_code code) {
  switch (code) {
    case error_code::no_nodes:
    case error_code::unavailable:
    case error_code::expired:
    case error_code::timeout:
    case error_code::node_lost:
    case error_code::overloaded:
      return true;
    default:
      return false;
  }
}

/// Whether the version fails on every node, as it is.
bool is_final(error_code code) {
  return code == error_code::bad_model || code == error_code::bad_input
         || code == error_code::unsupported;
}

}  // namespace

std::int64_t models_state::now_ms() const {
  return runtime::clock_ns(self->home_system()) / 1'000'000;
}

std::int64_t models_state::end_of_wait(std::uint64_t time_left_ms) const {
  return now_ms() + static_cast<std::int64_t>(std::min(time_left_ms, model_change_ms_max));
}

void models_state::start_serving() {
  auto wishes = models::read_serving_wishes(arguments.repository->wishes_path());
  if (!wishes) {
    runtime::log(runtime::log_level::error, name, "can not read what is to be served",
                 {{"reason", wishes.error().message}});
    wishes = models::serving_wishes{};
  }
  saved_wishes = *wishes;
  saved_revisions
    = models::read_text(revisions_path(*arguments.repository), revisions_bytes_max).value_or("");
  const auto now_s = static_cast<std::uint32_t>(runtime::wall_ms(self->home_system()) / 1'000);
  table = serving_table(arguments.serving.control == "all", std::move(*wishes),
                        serving_revisions(saved_revisions, now_s));
  note_catalogue();
}

void models_state::note_catalogue() {
  retire_all(table.refresh(list().models));
  announce();
}

void models_state::announce() {
  ++serving_revision;
  save_revisions();
  const auto router = arguments.router.get();
  if (!router)
    return;
  served_models news = table.all();
  news.revision = serving_revision;
  self->send(router, std::move(news));
}

runtime::expected<void> models_state::save_wishes(const serving_table& next) {
  if (next.wishes() == saved_wishes)
    return {};
  auto saved = models::write_serving_wishes(arguments.repository->wishes_path(), next.wishes());
  if (saved)
    saved_wishes = next.wishes();
  else
    runtime::log(runtime::log_level::error, name, "can not store what is to be served",
                 {{"reason", saved.error().message}});
  return saved;
}

void models_state::save_revisions() {
  const std::string text = table.revisions().text();
  if (text == saved_revisions)
    return;
  if (auto saved = models::write_atomically(revisions_path(*arguments.repository), text); saved)
    saved_revisions = text;
  else
    runtime::log(runtime::log_level::warn, name, "can not store the revisions of models",
                 {{"reason", saved.error().message}});
}

caf::result<served_models> models_state::served(const get_served_models& request) const {
  auto found = request.name.empty() ? runtime::expected<served_models>{table.all()}
                                    : table.find(request.name);
  if (!found)
    return runtime::to_error(found.error());
  found->revision = serving_revision;
  return std::move(*found);
}

runtime::expected<serving_table::load_plan> models_state::plan_load(
  const load_served_model& request) {
  if (auto read = arguments.repository->read_again(request.name); !read) {
    auto cause = read.error();
    cause.message = "failed to load '" + request.name + "', " + cause.message;
    return tl::unexpected(std::move(cause));
  }
  retire_all(table.refresh(list().models));
  auto config = labelled_config(request);
  if (!config) {
    auto cause = config.error();
    cause.message = "failed to load '" + request.name + "', " + cause.message;
    return tl::unexpected(std::move(cause));
  }
  return table.plan_load(request.name, request.version, *config);
}

caf::result<served_models> models_state::load(const load_served_model& request) {
  if (request.time_left_ms == 0)
    return runtime::to_error(error_code::expired, "no time was left to load the model");
  if (const auto run = loads.find(request.name); run != loads.end()) {
    const load_served_model& other = run->second.request;
    if (other.version != request.version || other.config_json != request.config_json
        || run->second.is_sent || run->second.plan.keeps_wish || !request.files.empty())
      return runtime::to_error(error_code::conflict, "failed to load '" + request.name
                                                       + "', another load of it is under way");
    return run->second.waiting.emplace_back(self->make_response_promise<served_models>());
  }
  auto plan = models::has_version(request.files) ? plan_sent(request) : plan_load(request);
  if (!plan) {
    // What was found in the repository holds all the same.
    announce();
    return runtime::to_error(plan.error());
  }
  table.begin_load(*plan);
  announce();
  load_run run;
  run.plan = std::move(*plan);
  run.request = request;
  run.request.files.clear();
  run.is_sent = !request.files.empty();
  auto promise = run.waiting.emplace_back(self->make_response_promise<served_models>());
  start_run(std::move(run), end_of_wait(request.time_left_ms));
  return promise;
}

void models_state::start_run(load_run run, std::int64_t until_ms) {
  const std::string model = run.plan.name;
  run.until_ms = until_ms;
  for (const auto* versions : {&run.plan.companions, &run.plan.versions})
    for (const model_entry& entry : *versions) {
      const bool is_up = run.plan.keeps_wish && table.is_served(entry);
      if (!is_up && entry.spec.kind != models::model_kind::ensemble)
        run.versions.push_back(entry);
    }
  loads.insert_or_assign(model, std::move(run));
  prepare_next(model);
}

void models_state::prepare_next(const std::string& name) {
  const auto found = loads.find(name);
  if (found == loads.end())
    return;
  load_run& run = found->second;
  if (run.prepared == run.versions.size())
    return finish_load(std::move(loads.extract(found).mapped()));
  const auto router = arguments.router.get();
  const auto left = run.until_ms - now_ms();
  if (!router || left <= 0)
    return note_unprepared(name, {router ? error_code::expired : error_code::unavailable,
                                  router ? "it took longer than there was time"
                                         : "a part of the orchestrator is starting; try again",
                                  {}});
  const auto time_left_ms = static_cast<std::uint64_t>(left);
  self->request(router, waiting_time(time_left_ms),
                prepare_model{run.versions[run.prepared], time_left_ms})
    .then(
      [this, name](const model_prepared&) {
        if (const auto run = loads.find(name); run != loads.end())
          ++run->second.prepared;
        prepare_next(name);
      },
      [this, name](const caf::error& error) { note_unprepared(name, runtime::to_failure(error)); });
}

void models_state::note_unprepared(const std::string& model, const runtime::failure& cause) {
  const auto found = loads.extract(model);
  if (!found)
    return;
  load_run& run = found.mapped();
  if (!run.plan.keeps_wish || !is_undecided(cause.code))
    return fail_load(std::move(run), cause);
  runtime::log(runtime::log_level::warn, name, "serves a model that no node has prepared",
               {{"model", model}, {"reason", cause.message}});
  finish_load(std::move(run));
}

void models_state::finish_load(load_run done) {
  done.prepared = done.versions.size();
  const bool is_upload = !done.upload_id.empty();
  const auto entered = is_upload ? enter(done.upload_id)
                                 : runtime::expected<models::repository_entry>{};
  if (!entered)
    return fail_load(std::move(done), entered.error());
  if (!is_upload && !table.is_still_there(done.plan))
    return fail_load(std::move(done), {error_code::model_not_found,
                                       "the versions of '" + done.plan.name
                                         + "' that were to be served were removed meanwhile",
                                       {}});
  serving_table next = table;
  auto gone = is_upload ? next.finish_upload(done.plan, list().models)
                        : next.finish_load(done.plan);
  if (done.alias) {
    const set_model_alias& request = done.alias->request;
    if (auto set = next.set_alias(request.alias, request.target); !set)
      return fail_load(std::move(done), set.error());
    else
      gone.insert(gone.end(), set->begin(), set->end());
  }
  // An upload is in the repository by now, and wishes nothing.
  if (auto saved = save_wishes(next); !saved && !is_upload)
    return fail_load(std::move(done), saved.error());
  table = std::move(next);
  // An alias may have left one of the versions meanwhile.
  gone = table.refresh(list().models, std::move(gone));
  announce();
  retire_all(gone);
  drop_sent();
  runtime::log(runtime::log_level::info, name, "serves a model", {{"model", done.plan.name}});
  if (is_upload)
    answer_upload(done.upload_id, entry_of(*entered));
  if (done.alias)
    done.alias->promise.deliver(done.alias->request.target);
  auto reply = table.find(done.plan.name);
  if (reply)
    reply->revision = serving_revision;
  for (auto& promise : done.waiting)
    if (reply)
      promise.deliver(*reply);
    else
      promise.deliver(runtime::to_error(reply.error()));
  bring_in_waiting(done.plan.name);
}

void models_state::fail_load(load_run run, const runtime::failure& cause) {
  const std::string model = run.plan.name;
  const bool is_unprepared = run.prepared < run.versions.size();
  const model_entry* broken
    = is_unprepared && is_final(cause.code) ? &run.versions[run.prepared] : nullptr;
  const auto unserved = table.fail_load(run.plan, cause.message, broken);
  announce();
  // Versions before the one that failed have agents already.
  retire_all(unserved);
  drop_sent();
  runtime::log(runtime::log_level::warn, name, "could not load a model",
               {{"model", model}, {"reason", cause.message}});
  answer_failed(run, cause);
  bring_in_waiting(model);
}

void models_state::answer_failed(load_run& run, const runtime::failure& cause) {
  auto failure = cause;
  if (!run.waiting.empty())
    failure.message = "failed to load '" + run.plan.name + "', " + cause.message;
  else if (run.prepared < run.versions.size())
    failure.message = "'" + run.plan.name + "' version " + run.versions[run.prepared].version
                      + " can not be served: " + cause.message;
  for (auto& promise : run.waiting)
    promise.deliver(runtime::to_error(failure));
  if (run.alias)
    run.alias->promise.deliver(runtime::to_error(failure));
  if (!run.upload_id.empty())
    refuse_upload(run.upload_id, failure);
}

caf::result<served_models> models_state::unload(const unload_served_model& request) {
  if (loads.contains(request.name))
    return runtime::to_error(error_code::conflict,
                             "'" + request.name + "' is on its way into service");
  serving_table next = table;
  auto gone = next.begin_unload(request.name, request.version, request.dependents);
  if (!gone)
    return runtime::to_error(gone.error());
  if (auto saved = save_wishes(next); !saved)
    return runtime::to_error(saved.error());
  table = std::move(next);
  announce();
  const std::uint64_t run = ++last_unload;
  auto promise = self->make_response_promise<served_models>();
  unloads.emplace(run, unload_run{request.name, *gone, 0, promise});
  if (gone->empty())
    note_retired(run);
  for (const model_entry& entry : *gone)
    retire(entry, request.time_left_ms, [this, run] { note_retired(run); });
  return promise;
}

void models_state::note_retired(std::uint64_t run) {
  const auto found = unloads.find(run);
  if (found == unloads.end() || ++found->second.retired < found->second.versions.size())
    return;
  unload_run done = std::move(unloads.extract(found).mapped());
  retire_all(table.finish_unload(done.versions));
  announce();
  drop_sent();
  runtime::log(runtime::log_level::info, name, "serves a model no longer",
               {{"model", done.name}});
  // Of a model that was only sent with a load nothing is left.
  served_models left = table.find(done.name).value_or(served_models{});
  left.revision = serving_revision;
  done.promise.deliver(std::move(left));
}

template <class Done>
void models_state::retire(const model_entry& entry, std::uint64_t time_left_ms, Done done) {
  const auto router = arguments.router.get();
  if (!router || entry.spec.kind == models::model_kind::ensemble)
    return done();
  const auto file = retiring.insert(entry.digest);
  auto end = [this, file, done] {
    retiring.erase(file);
    drop_sent();
    done();
  };
  self->request(router, waiting_time(time_left_ms),
                retire_model{entry.name, entry.version, entry.digest, entry.revision,
                             time_left_ms})
    .then([end](const model_retired&) { end(); }, [end](const caf::error&) { end(); });
}

void models_state::retire_all(const std::vector<model_entry>& gone) {
  for (const model_entry& entry : gone)
    retire(entry, arguments.serving.retire_ms, [] {});
}

void models_state::refuse_runs() {
  const auto error = runtime::to_error(error_code::unavailable,
                                       "the catalogue of models is stopping");
  for (auto& [model, run] : loads)
    for (auto& promise : run.waiting)
      promise.deliver(error);
  for (auto& [model, run] : loads)
    if (run.alias)
      run.alias->promise.deliver(error);
  for (auto& [id, run] : unloads)
    run.promise.deliver(error);
  loads.clear();
  unloads.clear();
}

}  // namespace dim::actors
