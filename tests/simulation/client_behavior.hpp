#pragma once

#include <chrono>

#include <caf/all.hpp>

#include "runtime/errors.hpp"

namespace dim::simulation {

/// How clients of ENTRY live: they look at the clock ten times a second until they are done, and
/// when ENTRY ends, what they have asked it fails. Their state has `entry`, `calls` (under the key
/// "entry"), `look_at_clock` and `is_done`.
template <class Self>
caf::behavior behavior_of_client(Self* self) {
  constexpr auto tick = std::chrono::milliseconds{100};
  auto& state = self->state;
  self->set_down_handler([&state](caf::down_msg& news) {
    if (state.entry.note_down(news))
      state.calls.fail_node("entry",
                            {runtime::error_code::node_lost, "the orchestrator is gone", {}});
  });
  self->delayed_send(self, tick, caf::tick_atom_v);
  return {
    [self, &state, tick](caf::tick_atom) {
      state.look_at_clock();
      if (state.is_done())
        self->quit();
      else
        self->delayed_send(self, tick, caf::tick_atom_v);
    },
  };
}

}  // namespace dim::simulation
