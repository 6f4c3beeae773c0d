#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/cluster/interface.hpp"
#include "actors/node/entry_watch.hpp"
#include "actors/node/interface.hpp"
#include "actors/node/outbox.hpp"
#include "actors/node/resources.hpp"
#include "actors/node/work_queue.hpp"
#include "config/options.hpp"
#include "models/cabinet.hpp"
#include "runtime/actor_base.hpp"
#include "runtime/call_table.hpp"
#include "runtime/random_source.hpp"
#include "runtime/service.hpp"

namespace dim::actors {

/// What NODE needs. `node_tree.hpp` makes it, for a whole node with its children.
struct node_arguments {
  config::cluster_options cluster;
  config::node_options options;
  config::agent_options agent;
  node_facts facts;
  std::map<std::string, models::cabinet> cabinets;
  /// The orchestrator's ENTRY, empty while there is no link.
  runtime::service<caf::actor> entry;
  runtime::service<model_store_actor> cache;
  /// By the names in `facts.devices`.
  std::map<std::string, runtime::service<device_actor>> devices;
  /// What the machine has in use now, for heartbeats. May be empty.
  std::function<node_load()> measure;
};

/// NODE, the process's face to the cluster.
///
/// Membership, with a random incarnation for each start of this actor:
///
///   alone --ENTRY is there: join_cluster--> asking --join_accepted--> member
///     ^---------------- refused, late ------'                            |
///     ^--- ENTRY is down, rejoin_cluster ---------------------------------'
///
/// Work goes on while alone; what ends meanwhile waits in the outbox. A join to a newer generation of
/// the orchestrator drops everything in hand, since nobody waits for it any more.
///
/// An execution on this node:
///
///   waiting --model is here, ledger has room--> fetching --inputs are here--> running --> outbox
///
/// Every accepted execution ends in one `execution_finished`, which is repeated until it is
/// acknowledged, unless it is cancelled or past its job's time.
struct node_state_of_actor;

}  // namespace dim::actors
