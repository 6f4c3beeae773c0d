#include "runtime/call_table.hpp"

#include <doctest/doctest.h>

#include "tests/runtime/runtime_types.hpp"

using namespace dim;
using namespace dim::tests;
using runtime::error_code;

namespace {

struct caller_state {
  static inline const char* name = "CALLER";
  runtime::call_table calls{100};
};

using caller_self = runtime::actor_self<caf::actor, caller_state>;

/// What came of the calls, in order.
struct outcomes {
  std::vector<runtime::expected<sum_result>> results;

  auto keep() {
    return [this](runtime::expected<sum_result> x) { results.push_back(std::move(x)); };
  }
  std::size_t failed_with(error_code code) const {
    std::size_t count = 0;
    for (auto& result : results)
      count += !result && result.error().code == code ? 1 : 0;
    return count;
  }
};

/// An actor that owns a call table; the test works with it while nothing runs.
struct caller {
  explicit caller(sum_fixture& f) : f(f) {
    handle = f.sys().spawn([this](caller_self x) -> caf::behavior {
      self = x;
      return {[](caf::unit_t) {}};
    });
    f.run();
  }

  /// The execution unit of the actor's last run is gone: none stands for "any".
  runtime::call_table& calls() {
    self->context(nullptr);
    return self->state.calls;
  }

  template <class Target, class Message>
  void call(const Target& target, std::uint64_t deadline_ms, std::string node, Message message) {
    calls().call(self, target, deadline_ms, std::move(node), std::move(message), kept.keep());
  }

  sum_fixture& f;
  caf::actor handle;
  caller_self self = nullptr;
  outcomes kept;
};

}  // namespace

TEST_CASE("a call is answered, typed or untyped, and leaves no timer behind its deadline") {
  sum_fixture f;
  auto target = f.sys().spawn(sum);
  f.send(target, add_number{4});
  caller c{f};
  c.call(target, 1000, "", get_sum{});
  c.call(caf::actor_cast<caf::actor>(target), 1000, "", get_sum{});
  f.run();
  REQUIRE(c.kept.results.size() == 2);
  CHECK(c.kept.results[0]->value == 4);
  CHECK(c.kept.results[1]->value == 4);
  CHECK(c.calls().size() == 0);
  f.advance(1000);
  CHECK(f.timers() == 0);
  CHECK(c.kept.results.size() == 2);
}

TEST_CASE("a call without a reply fails with timeout at its deadline, not before") {
  sum_fixture f;
  auto target = f.sys().spawn(sum);
  caller c{f};
  c.call(target, 300, "", ask_never{});
  c.call(target, 100, "", ask_never{});
  f.advance(99);
  CHECK(c.kept.results.empty());
  f.advance(1);
  CHECK(c.kept.failed_with(error_code::timeout) == 1);
  f.advance(199);
  CHECK(c.kept.results.size() == 1);
  f.advance(1);
  CHECK(c.kept.failed_with(error_code::timeout) == 2);
  CHECK(f.timers() == 0);
}

TEST_CASE("one timer serves a thousand calls with the same deadline") {
  sum_fixture f;
  auto target = f.sys().spawn(sum);
  caller c{f};
  for (int index = 0; index < 100; ++index)
    c.call(target, 500, "", get_sum{});
  CHECK(f.timers() == 1);
  f.run();
  for (int round = 0; round < 10; ++round) {
    for (int index = 0; index < 100; ++index)
      c.call(target, 500 + round, "", get_sum{});
    f.run();
  }
  CHECK(f.timers() == 1);
  CHECK(c.kept.results.size() == 1100);
}

TEST_CASE("short calls beside a long one do not pile up timers") {
  sum_fixture f;
  auto target = f.sys().spawn(sum);
  caller c{f};
  c.call(target, 60'000, "", ask_never{});
  for (int index = 0; index < 500; ++index) {
    c.call(target, 10, "", get_sum{});
    f.advance(20);
  }
  CHECK(f.timers() <= 2);
}

TEST_CASE("the death of the target's process fails its calls at once, others go on") {
  sum_fixture f;
  auto lost = f.sys().spawn(sum);
  auto healthy = f.sys().spawn(sum);
  caller c{f};
  c.call(lost, 5000, "node-1", ask_never{});
  c.call(lost, 5000, "node-1", ask_never{});
  c.call(healthy, 5000, "node-2", ask_never{});
  f.run();
  c.calls().fail_node("node-1", {error_code::node_lost, "node-1 is gone", {}});
  CHECK(c.kept.failed_with(error_code::node_lost) == 2);
  CHECK(c.calls().size() == 1);
  f.advance(5000);
  CHECK(c.kept.failed_with(error_code::timeout) == 1);
  CHECK(c.kept.results.size() == 3);
}

TEST_CASE("a call to an actor that dies, or is dead, fails without waiting for the deadline") {
  sum_fixture f;
  auto target = f.sys().spawn(sum);
  caller c{f};
  c.call(target, 5000, "", ask_never{});
  f.kill(target);
  c.call(target, 5000, "", get_sum{});
  f.run();
  CHECK(c.kept.results.size() == 1);
  CHECK(c.kept.failed_with(error_code::unavailable) == 1);
  f.advance(5000);
  CHECK(c.kept.results.size() == 2);
}

TEST_CASE("a reply that comes after the call has failed is dropped") {
  sum_fixture f;
  auto target = f.sys().spawn(sum);
  caller c{f};
  c.call(target, 5000, "node-1", get_sum{});
  c.calls().fail_node("node-1", {error_code::node_lost, "gone", {}});
  f.run();
  CHECK(c.kept.results.size() == 1);
  CHECK(c.kept.failed_with(error_code::node_lost) == 1);
  CHECK(f.is_alive(c.handle));
}

TEST_CASE("a full table refuses, and an empty target is unavailable, both at once") {
  sum_fixture f;
  auto target = f.sys().spawn(sum);
  caller c{f};
  for (int index = 0; index < 101; ++index)
    c.call(target, 1000, "", ask_never{});
  CHECK(c.kept.failed_with(error_code::overloaded) == 1);
  caller other{f};
  other.call(sum_actor{}, 1000, "", get_sum{});
  CHECK(other.kept.failed_with(error_code::unavailable) == 1);
}

TEST_CASE("at shutdown every call is failed, and a callback may call again") {
  sum_fixture f;
  auto target = f.sys().spawn(sum);
  caller c{f};
  int again = 0;
  c.calls().call(c.self, target, 1000, "", ask_never{}, [&](runtime::expected<sum_result> x) {
    CHECK(x.error().code == error_code::cancelled);
    c.call(target, 1000, "", get_sum{});
    ++again;
  });
  c.call(target, 1000, "", ask_never{});
  c.calls().fail_all({error_code::cancelled, "stopping", {}});
  CHECK(again == 1);
  f.run();
  CHECK(c.kept.failed_with(error_code::cancelled) == 1);
  CHECK(c.kept.results.size() == 2);
}

TEST_CASE("an actor that ends with calls pending takes its timer's message with it") {
  sum_fixture f;
  auto target = f.sys().spawn(sum);
  caller c{f};
  c.call(target, 1000, "", ask_never{});
  f.kill(c.handle);
  f.advance(1000);
  CHECK(f.timers() == 0);
  CHECK(c.kept.results.empty());
}
