#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "actors/agent/worker_host.hpp"
#include "config/options.hpp"
#include "runtime/actor_base.hpp"
#include "runtime/call_table.hpp"
#include "runtime/launcher.hpp"
#include "runtime/service.hpp"
#include "runtime/shared_channel.hpp"

namespace dim::actors {

struct agent_process_arguments {
  worker_order order;
  worker_listener_actor listener;
  config::agent_options options;
  /// Heartbeats of the link between node and process, which must be on at both ends.
  std::uint32_t heartbeat_ms = 1'000;
  std::uint32_t lost_ms = 10'000;
  /// See `runtime::spin_wait`.
  std::uint32_t spin_us = 0;
  std::shared_ptr<runtime::launcher> launcher;
  /// AGENT ENTRY, which the process dials.
  runtime::service<caf::actor> entry;
  inference_decorator decorate;
};

/// PROCESS starts and ends the `dim-agent` process of one AGENT:
///
///   none --start_worker--> expected --launched--> starting --agent_ready--> up
///    ^                                               |                      |
///    +------------- worker_ended, to AGENT ----------+---- it has ended ----+
///
/// What AGENT asks goes through shared memory (CHANNEL), or, where `[agent] transport` says so or
/// there is none to be had, over the link. How it ended is told by the launcher. A link that breaks
/// while the process lives ends the process.
struct agent_process_state {
  static inline const char* name = "PROCESS";
  using self_pointer = runtime::actor_self<agent_process_actor, agent_process_state>;

  explicit agent_process_state(self_pointer pointer) : self(pointer) {
  }
  /// The process ends with its host.
  ~agent_process_state();

  void start(const start_worker& wish);
  void note_ready(agent_ready& news);
  void kill(const kill_worker& wish);
  void note_ended(worker_ended& news);
  void note_down(const caf::down_msg& news);
  std::string describe() const;

  self_pointer self;
  agent_process_arguments arguments;

private:
  void launch(std::uint16_t port);
  runtime::process_spec spec_of(std::uint16_t port) const;
  void make_channel();
  void end_channel();

  runtime::call_table calls;
  std::string token;
  runtime::process_id process = 0;
  std::int64_t pid = 0;
  inference_actor inference;
  /// Of the process that runs; null when it is asked over the link.
  std::shared_ptr<runtime::shared_channel> shared;
  channel_actor stand_in;
  /// Why it was killed; `none` when it was not.
  runtime::failure kill_cause;
};

agent_process_actor::behavior_type agent_process(agent_process_state::self_pointer self,
                                                 agent_process_arguments arguments);

}  // namespace dim::actors
