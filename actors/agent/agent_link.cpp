#include "actors/agent/agent_link.hpp"

#include <chrono>
#include <set>

#include <caf/io/all.hpp>

#include "actors/type_ids.hpp"
#include "runtime/caf_errors.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

}  // namespace

void agent_link_state::dial() {
  auto timeout = std::chrono::milliseconds{arguments.timeout_ms};
  self->request(arguments.dialer, timeout, caf::connect_atom_v, arguments.host, arguments.port)
    .then(
      [this](const caf::node_id&, const caf::strong_actor_ptr& peer,
             const std::set<std::string>&) { offer(peer); },
      [this](const caf::error& problem) { end(runtime::to_failure(problem)); });
}

void agent_link_state::offer(const caf::strong_actor_ptr& peer) {
  if (!peer)
    return end({error_code::unavailable, "nothing is published at the node's port", {}});
  node = caf::actor_cast<caf::actor>(peer);
  self->monitor(node);
  self
    ->request(node, std::chrono::milliseconds{arguments.timeout_ms},
              agent_ready{arguments.token, arguments.pid, arguments.inference})
    .then([](agent_admitted) {},
          [this](const caf::error& problem) { end(runtime::to_failure(problem)); });
}

void agent_link_state::end(runtime::failure reason) {
  arguments.on_end(reason);
  self->quit();
}

caf::behavior agent_link(agent_link_state::self_pointer self, agent_link_arguments arguments) {
  auto& state = self->state;
  state.arguments = std::move(arguments);
  self->set_default_handler(caf::drop);
  self->set_down_handler([&state](caf::down_msg& news) {
    if (state.node && news.source == state.node.address())
      state.end({error_code::node_lost, "the node is gone", {}});
  });
  state.dial();
  return {[](caf::unit_t) {}};
}

}  // namespace dim::actors
