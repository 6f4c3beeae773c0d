#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "actors/agent/worker_host.hpp"
#include "actors/cluster/node_record.hpp"
#include "actors/node/interface.hpp"
#include "config/options.hpp"
#include "runtime/actor_base.hpp"
#include "runtime/service.hpp"

namespace dim::actors {

struct device_arguments {
  device_facts facts;
  /// The node has GPUs, which models get that may run anywhere.
  bool some_gpu = false;
  config::agent_options options;
  config::supervision_options supervision;
  worker_host_factory make_host;
  /// Is told which models have an agent here.
  runtime::service<node_control_actor> node;
};

/// Owns one GPU or core set: spawns one AGENT for each model that runs here, pins it, keeps account
/// of the device's memory, and stops agents that are idle or in the way.
///
/// The memory of an agent is what its model declares for each of its workers, or an estimate from
/// the size of its file; it is given back when the agent has ended. A request, or a wish for an
/// agent, whose model finds no room waits here until the least recently used agents have finished
/// and ended; at most `queue_max` wait.
struct device_state {
  static inline const char* name = "DEVICE";
  static constexpr bool runs_on_lanes = true;
  using self_pointer = runtime::actor_self<device_actor, device_state>;

  explicit device_state(self_pointer pointer) : self(pointer) {
  }
  /// Agents do not outlive their device.
  ~device_state();

  caf::result<infer_result> run(run_on_device& order);
  caf::result<infer_results> run(run_group_on_device& order);
  /// Starts the agent of a model before its first request, or stops it.
  caf::result<agents_set> serve(const serve_on_device& wish);
  void withdraw(const withdraw_on_device& wish);
  /// Stops the agent of this model: it finishes what it has, and gets nothing more.
  void stop_agent_of(const std::string& model_key);
  void note_loaded(const agent_loaded& news);
  void note_down(const caf::down_msg& news);
  std::string describe() const;

  self_pointer self;
  device_arguments arguments;
  std::vector<std::uint32_t> cores;

private:
  struct entry {
    agent_control_actor handle;
    std::uint64_t memory_bytes = 0;
    /// What heartbeats tell of it.
    agent_facts facts;
    std::uint64_t last_use = 0;
    /// Are told when it has ended.
    std::vector<caf::typed_response_promise<agents_set>> enders = {};
  };
  /// A request, a group of them, or a wish for an agent: one of the promises is pending.
  struct waiting {
    waiting(model_reference wanted, std::int64_t now_ms)
      : model(std::move(wanted)), since_ms(now_ms) {
    }

    model_reference model;
    std::int64_t since_ms;
    infer request = {};
    caf::typed_response_promise<infer_result> promise = {};
    infer_group group = {};
    caf::typed_response_promise<infer_results> group_promise = {};
    /// Of a wish; requests carry their own.
    std::uint64_t wish_time_left_ms = 0;
    caf::typed_response_promise<agents_set> agents_promise = {};

    /// The longest that any of it had when it came.
    std::uint64_t time_left_ms() const;

    std::size_t size() const {
      return group.requests.empty() ? 1 : group.requests.size();
    }
  };

  std::int64_t now_ms() const;
  /// Starts an agent with memory that is free now, or refuses it.
  caf::result<agents_set> serve_spare(const serve_on_device& wish);
  caf::result<agents_set> end_agent_of(const std::string& model_key);
  /// Why the model can never run here, or not wait now.
  runtime::failure refusal_of(const model_reference& model) const;
  /// How many more requests may wait.
  std::size_t room_to_wait() const;
  static infer_results all_failed(const infer_group& group, const runtime::failure& error);
  /// Answers what is more than may wait, and takes it out.
  void refuse_excess(infer_group& group);
  /// How many workers the model has here.
  std::uint32_t workers_of(const served_model& model) const;
  /// The memory of its agent, in bytes.
  std::uint64_t need_of(const served_model& model) const;
  /// The agent of the model when it may have one now: whoever waits for room comes first.
  agent_control_actor agent_now(const model_reference& model);
  /// The agent of the model, made when there is none; empty while there is no room for it.
  agent_control_actor agent_for(const model_reference& model);
  agent_control_actor spawn_agent(const model_reference& model);
  /// Whether `bytes` are free now; if not, the least recently used agents are told to end.
  bool make_room(std::uint64_t bytes);
  void count_load(const agent_facts& agent, std::uint64_t took_us);
  void tell_node();

  // device_waiting.cpp
  /// Answers what waits for an agent.
  static void fail(waiting& what, const runtime::failure& error);
  void cancel_wishes(const std::string& model_key);
  /// Whether it was among the requests that wait for room.
  bool withdraw_waiting(const std::string& request_id);
  void run_waiting();
  void go_on(waiting& first, std::uint64_t waited_ms, const agent_control_actor& handle);

  std::map<std::string, entry> agents;  // by model key
  /// Agents that were told to end, and the memory they still hold.
  std::map<caf::actor_addr, entry> ending;
  std::deque<waiting> queue;
  std::uint64_t used_bytes = 0;
  std::uint64_t uses = 0;
  /// Models that workers have loaded, and how long that took together.
  std::uint64_t loads = 0;
  std::uint64_t load_us = 0;
  /// The same by model and version, in the order of their first loads.
  std::vector<model_loads> loads_by_model;
};

device_actor::behavior_type device(device_state::self_pointer self, device_arguments arguments);

/// Device memory that an agent of the model with so many workers is taken to need, in bytes.
std::uint64_t memory_need_of(const served_model& model, std::uint64_t workers);

}  // namespace dim::actors
