#include <chrono>

#include <doctest/doctest.h>

#include "runtime/call_table.hpp"
#include "runtime/link.hpp"
#include "tests/runtime/runtime_types.hpp"

using namespace dim;
using namespace dim::tests;

namespace {

constexpr auto patience = std::chrono::seconds{30};

/// One process's actor system, with threads and links.
struct process {
  process() {
    config.add_message_types<caf::id_block::dim_runtime_tests>();
    config.enable_links(1'000, 10'000);
    system = std::make_unique<caf::actor_system>(config);
  }
  ~process() {
    for (auto& handle : config.context->actors.handles())
      caf::anon_send_exit(handle, caf::exit_reason::kill);
  }

  runtime::system_config config;
  std::unique_ptr<caf::actor_system> system;
};

caf::actor start_sum(process& where) {
  return caf::actor_cast<caf::actor>(where.system->spawn(sum));
}

/// Passes on what it is asked through a call table, which it fails when the link is down.
struct asker_state {
  static inline const char* name = "ASKER";
  runtime::call_table calls;
};

using asker_self = runtime::actor_self<caf::actor, asker_state>;

template <class Message>
auto pass_on(asker_self self, const caf::actor& target, Message message) {
  auto promise = self->make_response_promise<sum_result>();
  self->state.calls.call(self, target, 60'000, "peer", message,
                         [promise](runtime::expected<sum_result> reply) mutable {
                           if (reply)
                             promise.deliver(std::move(*reply));
                           else
                             promise.deliver(runtime::to_error(reply.error()));
                         });
  return promise;
}

caf::behavior asker(asker_self self, caf::actor target) {
  return {
    [self, target](get_sum message) { return pass_on(self, target, message); },
    [self, target](ask_never message) { return pass_on(self, target, message); },
    [self](const runtime::link_down& x) {
      self->state.calls.fail_node("peer",
                                  {runtime::error_code::node_lost, x.reason.message, {}});
    },
  };
}

}  // namespace

TEST_CASE("over a real connection calls pass, fail with the peer, and a new peer is found") {
  auto server = std::make_unique<process>();
  auto target = start_sum(*server);
  caf::anon_send(target, add_number{12});
  auto port = runtime::publish_entry(*server->system, target, "127.0.0.1", 0);
  REQUIRE(port);
  process client;
  caf::scoped_actor self{*client.system};
  runtime::service<caf::actor> entry;
  runtime::link_options options;
  options.addresses = {"127.0.0.1:" + std::to_string(*port)};
  auto link = client.system->spawn(runtime::link, runtime::middleman_of(*client.system), options,
                                   entry, caf::actor_cast<caf::actor>(self));
  std::uint64_t generation = 0;
  auto wait_up = [&] {
    self->receive([&](const runtime::link_up& x) { generation = x.generation; },
                  caf::after(patience) >> [] { FAIL("no link_up"); });
  };
  wait_up();
  CHECK(generation == 1);
  auto asking = client.system->spawn(asker, entry.get());
  // Messages keep their order: with the reply to the second, the first is in the peer's hands.
  auto pending = self->request(asking, patience, ask_never{});
  std::int64_t sum_there = 0;
  self->request(asking, patience, get_sum{})
    .receive([&](const sum_result& x) { sum_there = x.value; }, [](const caf::error&) {});
  CHECK(sum_there == 12);
  target = nullptr;
  server.reset();
  self->receive(
    [&](const runtime::link_down& x) {
      CHECK(x.generation == 1);
      caf::anon_send(asking, x);
    },
    caf::after(patience) >> [] { FAIL("no link_down"); });
  runtime::failure reason;
  pending.receive([](const sum_result&) {},
                  [&](const caf::error& x) { reason = runtime::to_failure(x); });
  CHECK(reason.code == runtime::error_code::node_lost);
  server = std::make_unique<process>();
  target = start_sum(*server);
  REQUIRE(runtime::publish_entry(*server->system, target, "127.0.0.1", *port));
  wait_up();
  CHECK(generation == 2);
  CHECK(entry.get());
}

TEST_CASE("an entry is published on loopback only, and a taken port is named") {
  process server;
  auto target = start_sum(server);
  for (auto bind : {"0.0.0.0", "192.0.2.1", "", "::", "127.example.org"}) {
    auto refused = runtime::publish_entry(*server.system, target, bind, 0);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == runtime::error_code::unavailable);
    CHECK(refused.error().message.find("TLS") != std::string::npos);
  }
  auto port = runtime::publish_entry(*server.system, target, "127.0.0.1", 0);
  REQUIRE(port);
  process other;
  auto taken = runtime::publish_entry(*other.system, start_sum(other), "127.0.0.1", *port);
  REQUIRE_FALSE(taken);
  CHECK(taken.error().message.find(std::to_string(*port)) != std::string::npos);
  CHECK(taken.error().message.find("in use") != std::string::npos);
}
