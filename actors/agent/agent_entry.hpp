#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <caf/io/middleman_actor.hpp>

#include "actors/agent/interface.hpp"
#include "runtime/actor_base.hpp"

namespace dim::actors {

/// AGENT ENTRY is what a node publishes, on a free loopback port, to the `dim-agent` processes that
/// it starts. It is untyped, as everything that is published. A process that dials in shows the
/// token that it was given; it is handed to the PROCESS actor that expects this token, once.
///
///   PROCESS --expect_agent--> AGENT ENTRY --agent_address--> PROCESS, which starts dim-agent
///   dim-agent --agent_ready--> AGENT ENTRY --agent_ready--> PROCESS
///
/// Messages: `expect_agent` (errors: unavailable) and `agent_ready`, which is answered with
/// `agent_admitted` (errors: forbidden, for a token that nobody expects).
struct agent_entry_state {
  static inline const char* name = "AGENT ENTRY";
  using self_pointer = runtime::actor_self<caf::actor, agent_entry_state>;

  explicit agent_entry_state(self_pointer pointer) : self(pointer) {
  }
  /// Whoever still waits for the port is told; nothing listens any more.
  ~agent_entry_state();

  /// Listens on loopback; quits with the reason when that is not possible.
  void publish(caf::io::middleman_actor middleman);
  caf::typed_response_promise<agent_address> expect(const expect_agent& news);
  caf::result<agent_admitted> admit(agent_ready& news);
  void note_down(const caf::down_msg& news);
  std::string describe() const;

private:
  struct expected_agent {
    std::string token;
    agent_process_actor host;
  };

  self_pointer self;
  caf::io::middleman_actor listener;
  std::uint16_t port = 0;
  /// At most one for each PROCESS: it starts one worker at a time.
  std::map<caf::actor_addr, expected_agent> expected;
  std::vector<caf::typed_response_promise<agent_address>> waiting_for_port;
};

/// `middleman`: of a system made with `enable_links`.
caf::behavior agent_entry(agent_entry_state::self_pointer self,
                          caf::io::middleman_actor middleman);

}  // namespace dim::actors
