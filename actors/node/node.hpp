#pragma once

#include <cstdint>
#include <functional>
#include <map>
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

/// What an execution's epoch is known by inside the node.
inline std::string execution_key(const std::string& execution_id, std::uint32_t epoch) {
  return execution_id + "#" + std::to_string(epoch);
}

/// NODE, the process's face to the cluster.
///
/// Membership, with a random incarnation for each start of this actor:
///
///   alone --ENTRY is there: join_cluster--> asking --join_accepted--> member
///     ^---------------- refused, late ------'                            |
///     ^--- ENTRY is down, rejoin_cluster ---------------------------------'
///
/// Work goes on while alone; what ends meanwhile waits in the outbox. An orchestrator that was
/// restarted takes it up by sending the same orders again. Each heartbeat names what the node has
/// in hand, so that a lost order is sent again, and what nobody wants any more is cancelled.
///
/// An execution on this node:
///
///   waiting --model is here, ledger has room--> fetching --inputs are here--> running --> outbox
///
/// It is its id and epoch: an order for one that is here tells again that it runs, or sends its
/// result again.
///
/// Every accepted execution ends in one `execution_finished`, which is repeated until it is
/// acknowledged, unless it is cancelled or past its job's time.
struct node_actor_state {
  static inline const char* name = "NODE";
  static constexpr bool runs_on_lanes = true;
  using self_pointer = runtime::actor_self<node_control_actor, node_actor_state>;

  explicit node_actor_state(self_pointer pointer);
  /// Runs over cabinets do not outlive their node.
  ~node_actor_state();

  void initialise(node_arguments values);

  // node_membership.cpp
  void try_to_join(std::uint64_t number);
  void join_again();
  void note_entry_down(const caf::down_msg& news);
  void beat(bool once);
  void acknowledge(const acknowledge_execution& news);
  void note_cache(cache_changed& news);

  // node_drain.cpp
  /// The process is about to end: replies when nothing is left, or late.
  caf::typed_response_promise<node_drained> drain(const drain_node& wish);
  void set_drain(const set_draining& wish);

  // node_direct.cpp
  caf::result<infer_results> run(run_direct& order);
  void withdraw(const withdraw_direct& wish);
  caf::result<agents_set> set_agents_of(const set_agents& wish);

  // node_executions.cpp
  void accept(run_execution& order);
  void cancel(const cancel_execution& wish);
  void note_forward(const std::string& key);
  void finish_cabinet(cabinet_finished& news);
  void note_device(const device_changed& news);
  caf::result<chunk> read_output(const fetch_chunk& wish) const;
  std::string describe() const;

private:
  enum class stage : std::uint8_t { waiting, fetching, running };

  struct held_execution {
    run_execution order;
    stage where = stage::waiting;
    /// It runs, but its end is told to nobody.
    bool cancelled = false;
    bool told_started = false;
    std::int64_t deadline_ms = 0;
    std::string device;
    /// Inputs that are still on their way.
    std::size_t missing_inputs = 0;
    cabinet_run_actor run;
  };
  struct held_model {
    served_model model;
    bool ready = false;
    bool asked = false;
    std::uint32_t users = 0;
  };
  using execution_map = std::map<std::string, held_execution>;

  /// What direct requests name; two models may share a file, and one file have two configurations.
  struct direct_key {
    std::string digest;
    std::string model;
    std::string version;
    std::uint32_t revision = 0;

    auto operator<=>(const direct_key&) const = default;
  };
  /// Requests, or a wish for an agent, that wait until their model is in the cache.
  struct waiting_direct {
    run_direct order;
    caf::typed_response_promise<infer_results> promise;
    set_agents wish;
    caf::typed_response_promise<agents_set> agents_promise;
    std::int64_t since_ms = 0;

    /// The longest time that any of them had when it came.
    std::uint64_t time_left_ms() const;
  };
  /// A model of direct requests, pinned in the cache as long as agents may have to load it.
  struct direct_model {
    std::optional<model_reference> model;
    /// The set of cores that has its agent, once there is one.
    std::string cores;
    bool asked = false;
    std::int64_t last_use_ms = 0;
    std::vector<waiting_direct> waiting;
  };

  std::int64_t now_ms() const;

  // node_membership.cpp
  void schedule_join(std::uint32_t wait_ms);
  void become_member(const join_accepted& accepted);
  void send_heartbeat();
  void send_to_entry(caf::message content);
  void send_results(std::int64_t pause_ms);
  void name_work(node_heartbeat& news) const;

  // node_drain.cpp
  void begin_drain(std::uint32_t wait_ms);
  /// What has not begun goes to other nodes, and counts as no attempt.
  void hand_back_waiting();
  /// What runs goes to other nodes as if this one were lost, but that costs it nothing.
  void hand_back_running();
  /// Executions in hand that somebody still waits for.
  std::size_t wanted_executions() const;
  void watch_drain();

  // node_executions.cpp: from a message to a reservation, and from an answer to the outbox
  runtime::failure refusal_of(const run_execution& order) const;
  resource_need need_of(const run_execution& order) const;
  void refuse(const run_execution& order, runtime::failure reason);
  void cancel_older(const run_execution& order);
  void withdraw(held_execution& held, const std::string& key);
  void use_model(const std::string& model_key, const run_execution& order);
  void ask_for_model(const std::string& model_key, const run_execution& order);
  void take_model(const std::string& model_key, runtime::expected<served_model> reply);
  void fail_model(const std::string& model_key, const runtime::failure& error);
  void leave_model(const std::string& model_key);
  void drop_unused_models();
  void start_waiting();
  void expire_waiting();
  void tell_started(const held_execution& held);
  void finish(const std::string& key, infer_result result, std::uint64_t rows = 0);
  /// Puts the end of an execution into the outbox and on its way.
  void tell_end(const held_execution& held, infer_result result, std::uint64_t rows);
  void forget(execution_map::iterator position);

  // node_direct.cpp: requests that are not kept
  /// Direct requests without an answer, wherever they are.
  std::size_t direct_in_hand() const;
  /// How many more direct requests the node takes, wherever they wait.
  std::size_t room_for_direct() const;
  runtime::failure refusal_of(const direct_request& request, std::size_t room) const;
  /// Takes those out that can not be run, and answers them.
  infer_results refuse_some(run_direct& order) const;
  std::uint32_t direct_requests() const;
  direct_model& direct_model_of(const direct_key& key);
  void ask_for_direct(const direct_key& key, std::uint64_t time_left_ms);
  void take_direct(const direct_key& key, runtime::expected<served_model> reply);
  void go_on(const direct_key& key, waiting_direct& waiting, const runtime::failure& error);
  infer_group make_group(run_direct& order, const std::string& device);
  /// The device for the next request of this model; empty when none of its kinds is here.
  std::string device_for(direct_model& held) const;
  /// The set of cores with the fewest models; empty for a model that runs on GPUs alone.
  std::string cores_for(const direct_model& held, bool some_gpu) const;
  void start_agent(direct_model& held, const set_agents& wish,
                   caf::typed_response_promise<agents_set> promise);
  /// Agents that wait for their model's file are not started.
  void cancel_starts(direct_model& held);
  void stop_agents(const direct_key& key, std::uint64_t time_left_ms,
                   caf::typed_response_promise<agents_set> promise);
  void watch_direct();

  // node_runs.cpp: between the two
  void begin(const std::string& key);
  void fetch_inputs(const std::string& key);
  void take_input(const std::string& key, std::size_t place,
                  runtime::expected<fetched_blob> reply);
  void run_on(const std::string& key);
  void run_cabinet(const std::string& key);
  std::uint64_t time_left_of(const held_execution& held) const;
  std::uint64_t patience_ms() const;

  self_pointer self;
  node_arguments arguments;
  runtime::call_table calls;
  runtime::random_source random;
  std::uint64_t incarnation = 0;

  entry_watch entry;
  bool member = false;
  bool asking = false;
  std::uint32_t heartbeat_ms = 1'000;
  std::uint32_t join_failures = 0;
  std::uint64_t join_number = 0;
  cache_changed cache_news;
  /// What the devices told last, by their names.
  std::map<std::string, device_load> device_news;

  bool draining = false;
  std::int64_t drain_until_ms = 0;
  /// A look at what is left is on its way.
  bool looks_again = false;
  std::vector<caf::typed_response_promise<node_drained>> drain_promises;

  execution_map executions;  // by execution id and epoch
  std::map<std::string, held_model> models;
  std::map<direct_key, direct_model> direct_models;
  /// Direct requests at each device, by its name.
  std::map<std::string, runtime::work_count> direct_counts;
  work_queue queue;
  resource_ledger ledger;
  outbox results;
  bool starting = false;
};

node_control_actor::behavior_type node(node_actor_state::self_pointer self,
                                       node_arguments arguments);

}  // namespace dim::actors
