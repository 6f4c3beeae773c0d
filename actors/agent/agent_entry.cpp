#include "actors/agent/agent_entry.hpp"

#include <chrono>
#include <set>

#include <caf/io/all.hpp>

#include "actors/type_ids.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/log.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

// The middleman binds a port at once or never.
constexpr auto publish_timeout = std::chrono::seconds{10};

}  // namespace

agent_entry_state::~agent_entry_state() {
  for (auto& promise : waiting_for_port)
    promise.deliver(runtime::to_error(error_code::unavailable, "the agents' port is closed"));
  if (port != 0)
    caf::anon_send(listener, caf::close_atom_v, port);
}

void agent_entry_state::publish(caf::io::middleman_actor middleman) {
  listener = std::move(middleman);
  self
    ->request(listener, publish_timeout, caf::publish_atom_v, std::uint16_t{0},
              caf::strong_actor_ptr{self->ctrl()}, std::set<std::string>{},
              std::string{"127.0.0.1"}, false)
    .then(
      [this](std::uint16_t bound) {
        port = bound;
        for (auto& promise : waiting_for_port)
          promise.deliver(agent_address{port});
        waiting_for_port.clear();
      },
      [this](caf::error& problem) {
        runtime::log(runtime::log_level::error, name, "can not listen for agents",
                     {{"reason", runtime::to_failure(problem).message}});
        self->quit(std::move(problem));
      });
}

caf::typed_response_promise<agent_address> agent_entry_state::expect(const expect_agent& news) {
  // The promise takes the sender out of the message.
  auto host = caf::actor_cast<agent_process_actor>(self->current_sender());
  auto promise = self->make_response_promise<agent_address>();
  if (!host) {
    promise.deliver(runtime::to_error(error_code::bad_input, "nobody expects this agent"));
    return promise;
  }
  if (!expected.contains(host.address()))
    self->monitor(host);
  expected[host.address()] = {news.token, host};
  if (port != 0)
    promise.deliver(agent_address{port});
  else
    waiting_for_port.push_back(promise);
  return promise;
}

caf::result<agent_admitted> agent_entry_state::admit(agent_ready& news) {
  for (auto& [address, each] : expected) {
    if (each.token.empty() || each.token != news.token)
      continue;
    each.token.clear();
    self->send(each.host, std::move(news));
    return agent_admitted{};
  }
  return runtime::to_error(error_code::forbidden, "nobody expects an agent with this token");
}

void agent_entry_state::note_down(const caf::down_msg& news) {
  expected.erase(news.source);
}

std::string agent_entry_state::describe() const {
  return "port " + std::to_string(port) + ", hosts " + std::to_string(expected.size());
}

caf::behavior agent_entry(agent_entry_state::self_pointer self,
                          caf::io::middleman_actor middleman) {
  auto& state = self->state;
  self->set_default_handler(caf::drop);
  self->set_down_handler([&state](caf::down_msg& news) { state.note_down(news); });
  state.publish(std::move(middleman));
  return {
    [&state](const expect_agent& news) { return state.expect(news); },
    [&state](agent_ready& news) { return state.admit(news); },
  };
}

}  // namespace dim::actors
