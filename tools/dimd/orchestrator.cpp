#include "tools/dimd/orchestrator.hpp"

#include <chrono>
#include <filesystem>

#include "actors/cluster/registry.hpp"
#include "actors/cluster/scheduler.hpp"
#include "actors/job/dispatcher.hpp"
#include "actors/router/router.hpp"
#include "actors/store/backup.hpp"
#include "actors/store/event_log.hpp"
#include "actors/store/job_store.hpp"
#include "actors/store/model_catalogue.hpp"
#include "actors/store/queries.hpp"
#include "actors/type_ids.hpp"
#include "runtime/log.hpp"
#include "runtime/spawn.hpp"
#include "runtime/store_check.hpp"

namespace dim::tools {

namespace {

using runtime::make_child;

std::filesystem::path store_folder(const config::options& options) {
  return std::filesystem::path{options.cluster.data_dir} / "store";
}

std::filesystem::path models_folder(const config::options& options) {
  return std::filesystem::path{options.cluster.data_dir} / "models";
}

/// An actor that blocks on the disk, as a child of its supervisor.
template <class Handle, class Function, class Arguments>
runtime::child_spec detached_child(std::string name, runtime::service<Handle> cell,
                                   Function function, Arguments arguments) {
  return make_child(
    std::move(name), cell, [function, arguments](caf::local_actor& parent) -> Handle {
      return runtime::spawn_detached(parent.home_system(), parent, function, arguments);
    });
}

template <class Handle, class Function, class Arguments>
runtime::child_spec child(std::string name, runtime::service<Handle> cell, Function function,
                          Arguments arguments) {
  return make_child(std::move(name), cell,
                    [function, arguments](caf::local_actor& parent) -> Handle {
                      return parent.spawn(function, arguments);
                    });
}

actors::registry_arguments registry_of(const config::options& options,
                                       const orchestrator_disk& disk,
                                       const orchestrator_services& services) {
  actors::registry_arguments result;
  result.cluster = options.cluster.name;
  result.generation = disk.generation;
  result.heartbeat_ms = options.cluster.heartbeat_ms;
  result.limits = {options.cluster.suspect_ms, options.cluster.lost_ms};
  result.reputation = options.reputation;
  result.quarantine = options.registry;
  result.drain_ms = options.cluster.drain_ms;
  result.models = services.models;
  result.scheduler = services.scheduler;
  result.router = services.router;
  result.store = services.store;
  result.queries = services.queries;
  return result;
}

actors::models_arguments models_of(const config::options& options, const orchestrator_disk& disk,
                                   const orchestrator_services& services) {
  return {disk.models,
          disk.blobs,
          options.agent.program,
          options.store.model_check_timeout_ms,
          options.store.upload_idle_ms,
          options.store.resumable_keep_ms,
          services.router,
          options.serving};
}

actors::dispatcher_arguments dispatcher_of(const config::options& options,
                                           const orchestrator_services& services) {
  actors::dispatcher_arguments result;
  result.options = options.orchestrator;
  result.reputation = options.reputation;
  result.services = {services.store, services.queries, services.models, services.registry,
                     services.scheduler};
  return result;
}

runtime::expected<models::repository> open_models(const config::options& options) {
  models::repository_options wish;
  wish.folder = models_folder(options);
  wish.file_bytes_max = options.store.model_bytes_max;
  wish.uploads_max = options.gateway.uploads_max;
  wish.resumable_max = options.store.resumable_uploads_max;
  wish.resumable_bytes_max = options.store.resumable_bytes_max;
  auto opened = models::repository::open(wish);
  if (opened) {
    for (auto& problem : opened->problems())
      runtime::log(runtime::log_level::warn, "MODELS", "left out a model", {{"reason", problem}});
    for (auto& warning : opened->warnings())
      runtime::log(runtime::log_level::warn, "MODELS", "ignored some settings",
                   {{"reason", warning}});
  }
  return opened;
}

}  // namespace

runtime::expected<orchestrator_disk> open_disk(const config::options& options,
                                               const runtime::disk_faults& faults) {
  auto folder = store_folder(options);
  if (options.store.check_on_start) {
    auto time_max = std::chrono::milliseconds{options.store.check_timeout_ms};
    if (auto whole = runtime::check_apart(folder, time_max); !whole)
      return tl::unexpected(whole.error());
  }
  orchestrator_disk result;
  auto database = actors::open_database(folder, options.store, faults);
  if (!database)
    return tl::unexpected(database.error());
  result.database = std::move(*database);
  auto blobs = runtime::blob_store::open(std::filesystem::path{options.cluster.data_dir} / "blobs",
                                         options.store.sync, faults);
  if (!blobs)
    return tl::unexpected(blobs.error());
  result.blobs = std::make_shared<runtime::blob_store>(std::move(*blobs));
  auto models = open_models(options);
  if (!models)
    return tl::unexpected(models.error());
  result.models = std::make_shared<models::repository>(std::move(*models));
  auto generation = actors::next_generation(*result.database);
  if (!generation)
    return tl::unexpected(generation.error());
  result.generation = *generation;
  return result;
}

runtime::child_spec entry_child(const orchestrator_services& services,
                                const std::string& cluster) {
  actors::entry_arguments to{services.dispatcher, services.scheduler, services.registry,
                             services.queries,    services.events,    services.models,
                             services.faults,     services.backup,    services.router,
                             services.directory,  {cluster, actors::protocol_number}};
  return child("ENTRY", services.entry, actors::entry, to);
}

std::vector<runtime::child_spec> orchestrator_children(const config::options& options,
                                                       const orchestrator_disk& disk,
                                                       orchestrator_services services) {
  auto store = actors::make_store_arguments(options);
  store.database = disk.database;
  store.blobs = disk.blobs;
  store.events = services.events;
  return {
    detached_child("STORE", services.store, actors::job_store, store),
    detached_child("EVENTS", services.events, actors::event_log,
                   actors::event_log_arguments{disk.database, options.orchestrator.event_tail_max}),
    detached_child("QUERIES", services.queries, actors::queries, disk.database),
    detached_child("MODELS", services.models, actors::model_catalogue,
                   models_of(options, disk, services)),
    child("REGISTRY", services.registry, actors::registry, registry_of(options, disk, services)),
    child("SCHEDULER", services.scheduler, actors::scheduler,
          actors::scheduler_arguments{options.orchestrator, services.registry}),
    child("DISPATCHER", services.dispatcher, actors::dispatcher, dispatcher_of(options, services)),
    child("BACKUP", services.backup, actors::backup,
          actors::backup_arguments{options.cluster.name, disk.database, disk.blobs,
                                   models_folder(options)}),
    child("ROUTER", services.router, actors::router,
          actors::router_arguments{options.router, services.models, options.serving.cache_bytes,
                                   services.store, services.queries}),
  };
}

}  // namespace dim::tools
