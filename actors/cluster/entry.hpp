#pragma once

#include "actors/interfaces.hpp"
#include "runtime/actor_base.hpp"
#include "runtime/directory_messages.hpp"
#include "runtime/link_messages.hpp"
#include "runtime/service.hpp"

namespace dim::actors {

/// Where ENTRY sends what comes in.
struct entry_arguments {
  runtime::service<dispatcher_actor> dispatcher;
  runtime::service<scheduler_actor> scheduler;
  runtime::service<registry_actor> registry;
  runtime::service<queries_actor> queries;
  runtime::service<events_actor> events;
  runtime::service<models_actor> models;
  runtime::service<faults_actor> faults;
  runtime::service<backup_actor> backup;
  runtime::service<router_actor> router;
  runtime::service<runtime::directory_actor> directory = {};
  /// What whoever dials this process is told.
  runtime::greet_peer greeting = {};
};

/// ENTRY is what the orchestrator publishes: the one untyped actor. Nodes and gateways, in this
/// process or another, know nothing else of the orchestrator. It delegates each message to the
/// actor whose interface lists it, so replies go straight to the sender, and answers `unavailable`
/// while that actor is down. It holds no state, and nodes monitor it as the sentinel of the
/// orchestrator.
struct entry_state {
  static inline const char* name = "ENTRY";
  static constexpr bool runs_on_lanes = true;
  using self_pointer = runtime::actor_self<caf::actor, entry_state>;
};

caf::behavior entry(entry_state::self_pointer self, entry_arguments arguments);

}  // namespace dim::actors
