#include "gateway/actor_bridge.hpp"

#include <doctest/doctest.h>

#include "tests/support/actor_fixture.hpp"

namespace {

using namespace dim;
using namespace dim::gateway;
using namespace std::chrono_literals;
using runtime::error_code;

using status_outcome = std::optional<runtime::expected<actors::job_status>>;

/// A bridge under virtual time. Outcomes come in `outcomes`, in the order of the calls.
struct bridge_fixture : tests::actor_fixture {
  explicit bridge_fixture(std::size_t calls_max = 100) : bridge(sys(), {entry, router}, calls_max) {
  }

  /// An ENTRY that answers `cancel_job` and keeps every `get_job` without an answer.
  caf::actor spawn_entry() {
    return sys().spawn([](caf::event_based_actor* self) -> caf::behavior {
      auto kept = std::make_shared<std::vector<caf::response_promise>>();
      return {
        [](const actors::cancel_job& message) -> caf::result<actors::job_status> {
          if (message.id == "none")
            return runtime::to_error(error_code::not_found, "no such job", {"detail"});
          return actors::job_status{message.id, actors::job_state::cancelled};
        },
        [self, kept](const actors::await_job&) -> caf::result<actors::job_status> {
          kept->push_back(self->make_response_promise());
          return caf::delegated<actors::job_status>{};
        },
      };
    });
  }

  template <class Message>
  void ask(Message message, std::chrono::milliseconds deadline = 1s) {
    auto index = outcomes.size();
    outcomes.emplace_back();
    bridge.ask<actors::job_status>(std::move(message), deadline,
                                   std::function<void(runtime::expected<actors::job_status>)>{
                                     [this, index](runtime::expected<actors::job_status> outcome) {
                                       REQUIRE(!outcomes[index]);
                                       outcomes[index] = std::move(outcome);
                                     }});
  }

  error_code code(std::size_t index) const {
    REQUIRE(outcomes[index]);
    REQUIRE(!outcomes[index]->has_value());
    return outcomes[index]->error().code;
  }

  std::vector<status_outcome> outcomes;
  runtime::service<caf::actor> entry;
  runtime::service<actors::router_actor> router;
  actor_bridge bridge;
};

/// Answers direct inferences, with its name as the model's.
caf::actor spawn_inference_target(bridge_fixture& f, std::string name) {
  return f.sys().spawn([name](caf::event_based_actor*) -> caf::behavior {
    return {[name](const actors::run_inference&) {
              actors::inference_done done;
              done.model = name;
              return done;
            },
            [name](const actors::run_inferences& group) {
              actors::inferences_done done;
              for (auto& each : group.requests) {
                done.answers.push_back({each.number, {}});
                done.answers.back().done.model = name + " of " +
                                                 std::to_string(group.requests.size());
              }
              return done;
            }};
  });
}

TEST_CASE("an answer and a failure of the actors reach the one who asked") {
  bridge_fixture f;
  f.entry.set(f.spawn_entry());
  f.ask(actors::cancel_job{"one"});
  f.ask(actors::cancel_job{"none"});
  f.run();
  REQUIRE(f.outcomes[0]);
  REQUIRE(f.outcomes[0]->has_value());
  CHECK((*f.outcomes[0])->id == "one");
  CHECK(f.code(1) == error_code::not_found);
  CHECK(f.outcomes[1]->error().details == std::vector<std::string>{"detail"});
}

TEST_CASE("without an orchestrator every call fails at once as unavailable") {
  bridge_fixture f;
  f.ask(actors::cancel_job{"one"});
  f.run();
  CHECK(f.code(0) == error_code::unavailable);
  CHECK(!f.bridge.has_entry());
  f.entry.set(f.spawn_entry());
  f.ask(actors::cancel_job{"one"});
  f.run();
  CHECK(f.outcomes[1]->has_value());
  CHECK(f.bridge.has_entry());
}

TEST_CASE("a call without an answer ends at its deadline, not before, also while no actor runs") {
  bridge_fixture f;
  f.entry.set(f.spawn_entry());
  auto begin = std::chrono::steady_clock::now();
  f.ask(actors::await_job{"a", 0}, 100s);
  f.ask(actors::await_job{"b", 0}, 1'000s);
  f.bridge.expire(begin + 99s);
  CHECK(!f.outcomes[0]);
  f.bridge.expire(begin + 500s);
  CHECK(f.code(0) == error_code::timeout);
  CHECK(!f.outcomes[1]);
  f.run();
  f.bridge.expire(begin + 5'000s);
  CHECK(f.code(1) == error_code::timeout);
  CHECK(f.bridge.waiting() == 0);
}

TEST_CASE("BRIDGE forgets a call that was not answered in time, and sets no timer for any") {
  bridge_fixture f;
  f.entry.set(f.spawn_entry());
  auto calls = std::make_shared<pending_calls>(10);
  auto one = f.sys().spawn(bridge, bridge_targets{f.entry, f.router}, calls,
                           runtime::service<bridge_actor>{});
  auto described = [&] {
    auto reply = f.tests::actor_fixture::ask<runtime::actor_description>(
      caf::actor_cast<caf::actor>(one), runtime::describe_actor{});
    REQUIRE(reply);
    return reply->state;
  };
  f.send(one, bridge_call{7, [](bridge_state::self_pointer, const caf::actor&) {}});
  CHECK(described() == "calls 1");
  CHECK(f.timers() == 0);
  f.send(one, bridge_expired{{7}});
  CHECK(described() == "calls 0");
}

TEST_CASE("the end of ENTRY fails the calls that it holds, and later ones go to its successor") {
  bridge_fixture f;
  auto first = f.spawn_entry();
  f.entry.set(first);
  f.ask(actors::await_job{"a", 0}, 1h);
  f.run();
  caf::anon_send_exit(first, caf::exit_reason::kill);
  f.run();
  CHECK(f.code(0) == error_code::unavailable);
  f.entry.set(f.spawn_entry());
  f.ask(actors::cancel_job{"b"});
  f.run();
  CHECK(f.outcomes[1]->has_value());
}

TEST_CASE("calls beyond the limit fail as overloaded, and answered ones make room") {
  bridge_fixture f{2};
  f.entry.set(f.spawn_entry());
  f.ask(actors::await_job{"a", 0});
  f.ask(actors::await_job{"b", 0});
  f.ask(actors::cancel_job{"c"});
  CHECK(f.code(2) == error_code::overloaded);
  f.bridge.expire(std::chrono::steady_clock::now() + 2s);
  f.ask(actors::cancel_job{"d"});
  f.run();
  CHECK(f.outcomes[3]->has_value());
}

TEST_CASE("stopping fails what waits, and whatever is asked later") {
  bridge_fixture f;
  f.entry.set(f.spawn_entry());
  f.ask(actors::await_job{"a", 0});
  f.run();
  f.bridge.stop();
  CHECK(f.code(0) == error_code::unavailable);
  f.ask(actors::cancel_job{"b"});
  CHECK(f.code(1) == error_code::unavailable);
  f.run();
}

TEST_CASE("a message that ENTRY does not know fails as protocol_mismatch") {
  bridge_fixture f;
  f.entry.set(f.spawn_entry());
  f.ask(actors::list_nodes{});
  f.run();
  CHECK(f.code(0) == error_code::protocol_mismatch);
}

}  // namespace

TEST_CASE("direct inferences go straight to ROUTER where it is in this process, together") {
  bridge_fixture f;
  f.entry.set(spawn_inference_target(f, "entry"));
  std::vector<std::string> answered_by;
  auto infer = [&] {
    f.bridge.ask<actors::inference_done>(
      actors::run_inference{}, 1s,
      std::function<void(runtime::expected<actors::inference_done>)>{
        [&](runtime::expected<actors::inference_done> outcome) {
          answered_by.push_back(outcome ? outcome->model : outcome.error().message);
        }});
  };
  infer();
  f.run();
  f.router.set(caf::actor_cast<actors::router_actor>(spawn_inference_target(f, "router")));
  infer();
  infer();
  f.run();
  f.router.clear();
  infer();
  f.run();
  CHECK(answered_by
        == std::vector<std::string>{"entry", "router of 2", "router of 2", "entry"});
}

TEST_CASE("direct inferences that ROUTER leaves without an answer fail, those told ahead do not") {
  bridge_fixture f;
  auto router = f.sys().spawn([](caf::event_based_actor* self) -> caf::behavior {
    return {[self](const actors::run_inferences& group) {
      actors::inferences_done early;
      early.answers.push_back({group.requests.front().number, {}});
      self->send(caf::actor_cast<caf::actor>(self->current_sender()), early);
      return actors::inferences_done{};
    }};
  });
  f.router.set(caf::actor_cast<actors::router_actor>(router));
  std::vector<error_code> ends;
  for (int index = 0; index < 3; ++index)
    f.bridge.ask<actors::inference_done>(
      actors::run_inference{}, 1s,
      std::function<void(runtime::expected<actors::inference_done>)>{
        [&](runtime::expected<actors::inference_done> outcome) {
          ends.push_back(outcome ? error_code::none : outcome.error().code);
        }});
  f.run();
  CHECK(ends
        == std::vector{error_code::none, error_code::internal, error_code::internal});
  f.advance(2'000);
  CHECK(f.timers() == 0);
}

TEST_CASE("direct inferences fail with the ROUTER that they were for, and run at no other") {
  bridge_fixture f;
  auto first = spawn_inference_target(f, "first");
  f.router.set(caf::actor_cast<actors::router_actor>(first));
  std::vector<std::string> ends;
  auto infer = [&] {
    f.bridge.ask<actors::inference_done>(
      actors::run_inference{}, 1s,
      std::function<void(runtime::expected<actors::inference_done>)>{
        [&](runtime::expected<actors::inference_done> outcome) {
          ends.push_back(outcome ? outcome->model : "failed");
        }});
  };
  infer();
  f.run();
  caf::anon_send_exit(first, caf::exit_reason::kill);
  f.run();
  f.router.set(caf::actor_cast<actors::router_actor>(spawn_inference_target(f, "second")));
  infer();
  f.run();
  caf::anon_send_exit(first, caf::exit_reason::kill);
  f.run();
  CHECK(ends == std::vector<std::string>{"first of 1", "second of 1"});
}
