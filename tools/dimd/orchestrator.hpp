#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "actors/cluster/entry.hpp"
#include "actors/interfaces.hpp"
#include "actors/store/database.hpp"
#include "config/options.hpp"
#include "models/repository.hpp"
#include "runtime/blob_store.hpp"
#include "runtime/directory_messages.hpp"
#include "runtime/supervisor.hpp"

namespace dim::tools {

/// The cells of the orchestrator's actors, refilled by their supervisor after a restart.
struct orchestrator_services {
  runtime::service<caf::actor> entry;
  runtime::service<actors::store_actor> store;
  runtime::service<actors::events_actor> events;
  runtime::service<actors::queries_actor> queries;
  runtime::service<actors::models_actor> models;
  runtime::service<actors::registry_actor> registry;
  runtime::service<actors::scheduler_actor> scheduler;
  runtime::service<actors::dispatcher_actor> dispatcher;
  runtime::service<actors::faults_actor> faults;
  runtime::service<actors::backup_actor> backup;
  runtime::service<actors::router_actor> router;
  runtime::service<runtime::directory_actor> directory = {};
};

/// What lies on disk under the orchestrator's data folder.
struct orchestrator_disk {
  actors::database_pointer database;
  std::shared_ptr<runtime::blob_store> blobs;
  std::shared_ptr<models::repository> models;
  std::uint64_t generation = 0;
};

/// Checks the store in a child process, opens it, and counts this start. `faults`: a simulated
/// disk. Errors: unavailable (another process has it), store_corrupt, store_full, unsupported (a
/// newer schema), internal.
runtime::expected<orchestrator_disk> open_disk(const config::options& options,
                                               const runtime::disk_faults& faults = {});

/// ENTRY, which stands beside the others and outlives their restarts, because nodes watch it.
runtime::child_spec entry_child(const orchestrator_services& services,
                                const std::string& cluster);

/// The orchestrator's part of the supervision tree, in the order of its start.
std::vector<runtime::child_spec> orchestrator_children(const config::options& options,
                                                       const orchestrator_disk& disk,
                                                       orchestrator_services services);

}  // namespace dim::tools
