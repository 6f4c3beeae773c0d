#include <algorithm>
#include <chrono>

#include "actors/store/model_catalogue.hpp"
#include "actors/type_ids.hpp"
#include "models/sent_model.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/log.hpp"

namespace dim::actors {

using runtime::error_code;

namespace {

// ROUTER answers within the time it is given; this is for one that ends meanwhile.
constexpr std::uint64_t answer_grace_ms = 1'000;
constexpr std::uint64_t load_ms_max = 24 * 3'600'000;

std::chrono::milliseconds waiting_time(std::uint64_t time_left_ms) {
  return std::chrono::milliseconds{std::min(time_left_ms, load_ms_max) + answer_grace_ms};
}

}  // namespace

std::int64_t models_state::now_ms() const {
  return runtime::clock_ns(self->home_system()) / 1'000'000;
}

void models_state::start_serving() {
  auto wishes = models::read_serving_wishes(arguments.repository->wishes_path());
  if (!wishes) {
    runtime::log(runtime::log_level::error, name, "can not read what is to be served",
                 {{"reason", wishes.error().message}});
    wishes = models::serving_wishes{};
  }
  table = serving_table(arguments.serving.control == "all", std::move(*wishes));
  note_catalogue();
}

void models_state::note_catalogue() {
  retire_all(table.refresh(list().models));
  announce();
}

void models_state::announce() {
  ++serving_revision;
  const auto router = arguments.router.get();
  if (!router)
    return;
  served_models news = table.all();
  news.revision = serving_revision;
  self->send(router, std::move(news));
}

runtime::expected<void> models_state::save_wishes() {
  auto saved = models::write_serving_wishes(arguments.repository->wishes_path(), table.wishes());
  if (!saved)
    runtime::log(runtime::log_level::error, name, "can not store what is to be served",
                 {{"reason", saved.error().message}});
  return saved;
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
        || run->second.is_sent || !request.files.empty())
      return runtime::to_error(error_code::conflict, "failed to load '" + request.name
                                                       + "', another load of it is under way");
    return run->second.waiting.emplace_back(self->make_response_promise<served_models>());
  }
  auto plan = models::has_version(request.files) ? plan_sent(request) : plan_load(request);
  if (!plan)
    return runtime::to_error(plan.error());
  table.begin_load(*plan);
  announce();
  if (!plan->sent.empty())
    (void)save_wishes();
  load_run run{std::move(*plan), request, 0, {}, 0, {}, !request.files.empty()};
  run.request.files.clear();
  run.until_ms = now_ms() + static_cast<std::int64_t>(std::min(request.time_left_ms, load_ms_max));
  for (const auto* versions : {&run.plan.companions, &run.plan.versions})
    for (const model_entry& entry : *versions)
      if (entry.spec.kind != models::model_kind::ensemble)
        run.versions.push_back(entry);
  auto promise = run.waiting.emplace_back(self->make_response_promise<served_models>());
  loads.insert_or_assign(request.name, std::move(run));
  prepare_next(request.name);
  return promise;
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
    return fail_load(name, {router ? error_code::expired : error_code::unavailable,
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
      [this, name](const caf::error& error) { fail_load(name, runtime::to_failure(error)); });
}

void models_state::finish_load(load_run done) {
  const auto gone = table.finish_load(done.plan);
  announce();
  retire_all(gone);
  drop_sent();
  runtime::log(runtime::log_level::info, name, "serves a model", {{"model", done.plan.name}});
  const auto saved = save_wishes();
  auto reply = table.find(done.plan.name);
  if (!saved)
    reply = tl::unexpected(saved.error());
  if (reply)
    reply->revision = serving_revision;
  for (auto& promise : done.waiting)
    if (reply)
      promise.deliver(*reply);
    else
      promise.deliver(runtime::to_error(reply.error()));
}

void models_state::fail_load(const std::string& model, const runtime::failure& cause) {
  const auto found = loads.extract(model);
  if (!found)
    return;
  load_run& run = found.mapped();
  auto failure = cause;
  failure.message = "failed to load '" + model + "', " + cause.message;
  const auto unserved = table.fail_load(run.plan, cause.message);
  announce();
  // Versions before the one that failed have agents already.
  retire_all(unserved);
  drop_sent();
  (void)save_wishes();
  runtime::log(runtime::log_level::warn, name, "could not load a model",
               {{"model", model}, {"reason", cause.message}});
  for (auto& promise : run.waiting)
    promise.deliver(runtime::to_error(failure));
}

caf::result<served_models> models_state::unload(const unload_served_model& request) {
  if (loads.contains(request.name))
    return runtime::to_error(error_code::conflict,
                             "'" + request.name + "' is on its way into service");
  auto gone = table.begin_unload(request.name, request.version, request.dependents);
  if (!gone)
    return runtime::to_error(gone.error());
  announce();
  if (auto saved = save_wishes(); !saved) {
    table.finish_unload(*gone);
    drop_sent();
    return runtime::to_error(saved.error());
  }
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
  table.finish_unload(done.versions);
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

caf::result<model_alias> models_state::set_alias(const set_model_alias& request) {
  auto set = table.set_alias(request.alias, request.target);
  if (!set)
    return runtime::to_error(set.error());
  announce();
  if (auto saved = save_wishes(); !saved)
    return runtime::to_error(saved.error());
  return std::move(*set);
}

void models_state::refuse_runs() {
  const auto error = runtime::to_error(error_code::unavailable,
                                       "the catalogue of models is stopping");
  for (auto& [model, run] : loads)
    for (auto& promise : run.waiting)
      promise.deliver(error);
  for (auto& [id, run] : unloads)
    run.promise.deliver(error);
  loads.clear();
  unloads.clear();
}

}  // namespace dim::actors
