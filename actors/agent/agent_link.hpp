#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <caf/io/middleman_actor.hpp>

#include "actors/agent/interface.hpp"
#include "runtime/actor_base.hpp"

namespace dim::actors {

struct agent_link_arguments {
  caf::io::middleman_actor dialer;
  std::string host;
  std::uint16_t port = 0;
  std::string token;
  std::int64_t pid = 0;
  /// For the dial, and for the answer to `agent_ready`.
  std::uint32_t timeout_ms = 5'000;
  inference_actor inference;
  /// Called once, with why the process is to end.
  std::function<void(const runtime::failure&)> on_end;
};

/// AGENT LINK is the other end of AGENT ENTRY, in a `dim-agent`: it dials the node, offers
/// INFERENCE there, and ends the process when the node is gone. There is no second try: the node
/// starts another process when it needs one.
struct agent_link_state {
  static inline const char* name = "AGENT LINK";
  using self_pointer = runtime::actor_self<caf::actor, agent_link_state>;

  explicit agent_link_state(self_pointer pointer) : self(pointer) {
  }

  void dial();
  void offer(const caf::strong_actor_ptr& peer);
  void end(runtime::failure reason);

  self_pointer self;
  agent_link_arguments arguments;
  caf::actor node;
};

caf::behavior agent_link(agent_link_state::self_pointer self, agent_link_arguments arguments);

}  // namespace dim::actors
