#include <chrono>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "tests/runtime/runtime_types.hpp"

using namespace dim;
using namespace dim::tests;

namespace {

runtime::actor_line line_of(sum_fixture& f, const std::string& name) {
  for (auto& line : f.context().actors.lines())
    if (line.name == name)
      return line;
  return {};
}

/// Adds up what comes together, and notes each sum.
struct gather_state {
  static inline const char* name = "GATHER";
  using self_pointer = runtime::actor_self<caf::actor, gather_state>;

  void after_others() {
    sums->push_back(std::exchange(sum, 0));
  }

  std::shared_ptr<std::vector<std::int64_t>> sums;
  std::int64_t sum = 0;
};

caf::behavior gather(gather_state::self_pointer self,
                     std::shared_ptr<std::vector<std::int64_t>> sums) {
  self->state.sums = std::move(sums);
  return {[self](const add_number& x) {
            self->state.sum += x.value;
            self->finish_with_others();
          },
          [self](const get_sum&) { self->finish_behind_others(); }};
}

}  // namespace

TEST_CASE("the work of messages that come together is done once, and at once for one alone") {
  sum_fixture f;
  auto sums = std::make_shared<std::vector<std::int64_t>>();
  auto target = f.sys().spawn(gather, sums);
  f.run();
  f.send(target, add_number{7});
  CHECK(*sums == std::vector<std::int64_t>{7});
  for (int index = 0; index < 10; ++index)
    caf::anon_send(target, add_number{1});
  f.run();
  CHECK(*sums == std::vector<std::int64_t>{7, 10});
  f.send(target, add_number{5});
  CHECK(*sums == std::vector<std::int64_t>{7, 10, 5});
  // Asked for in so many words, it is done behind what waits, also when nothing does.
  caf::anon_send(target, get_sum{});
  caf::anon_send(target, add_number{2});
  f.run();
  CHECK(*sums == std::vector<std::int64_t>{7, 10, 5, 2});
  CHECK(line_of(f, "GATHER").mailbox == 0);
}

TEST_CASE("an actor is in the table from its start to its end, with name and parent") {
  sum_fixture f;
  sum_actor child;
  auto parent = f.sys().spawn(
    [&child](runtime::actor_self<caf::actor, sum_state> self) -> caf::behavior {
      child = self->spawn(sum);
      return {[](caf::unit_t) {}};
    });
  f.run();
  auto lines = f.context().actors.lines();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].id == parent.id());
  CHECK(lines[1].parent == parent.id());
  CHECK(lines[1].name == "SUM");
  f.kill(parent);
  CHECK(f.context().actors.lines().size() == 1);
}

TEST_CASE("the mailbox count follows what waits, and is zero when all is handled") {
  sum_fixture f;
  auto target = f.sys().spawn(sum);
  f.run();
  for (int index = 0; index < 1000; ++index)
    caf::anon_send(target, add_number{1});
  CHECK(line_of(f, "SUM").mailbox == 1000);
  f.run();
  auto line = line_of(f, "SUM");
  CHECK(line.mailbox == 0);
  CHECK(line.mailbox_peak == 1000);
  CHECK(line.handled == 1000);
  CHECK(f.ask<sum_result>(target, get_sum{})->value == 1000);
}

TEST_CASE("an actor outlives an error that answers nothing, and a message that it can not read") {
  sum_fixture f;
  auto target = f.sys().spawn(sum);
  auto other = f.sys().spawn(sum);
  f.send_from(other, target, runtime::to_error(runtime::error_code::internal, "nobody asked"));
  CHECK(f.is_alive(target));
  // A message without content is what an undecodable one becomes; its receiver complains.
  f.send_from(other, target);
  CHECK(f.is_alive(other));
  CHECK(f.is_alive(target));
}

TEST_CASE("a request that waits for its reply does not miscount the asker's mailbox") {
  sum_fixture f;
  auto target = f.sys().spawn(sum);
  std::int64_t last = 0;
  auto asker = f.sys().spawn([&](sum_self self) -> sum_actor::behavior_type {
    return {
      [&last, self, target](const add_number&) {
        self->request(target, caf::infinite, get_sum{}).then([&last](const sum_result& x) {
          last = x.value;
        });
      },
      [](get_sum) { return sum_result{}; },
      [self](ask_never) { return sum_result{self->mailbox_length()}; },
    };
  });
  f.send(target, add_number{7});
  for (int index = 0; index < 50; ++index)
    caf::anon_send(asker, add_number{0});
  f.run();
  CHECK(last == 7);
  for (auto& line : f.context().actors.lines())
    CHECK(line.mailbox == 0);
  CHECK(f.ask<sum_result>(asker, ask_never{})->value == 1);
}

TEST_CASE("messages skipped while an actor awaits a reply are counted until they are handled") {
  sum_fixture f;
  auto held = f.sys().spawn(sum);
  auto awaiting = f.sys().spawn([held](sum_self self) -> sum_actor::behavior_type {
    return {
      [self, held](const add_number&) {
        self->request(held, caf::infinite, get_sum{}).await([](const sum_result&) {});
      },
      [](get_sum) { return sum_result{1}; },
      [](ask_never) { return sum_result{}; },
    };
  });
  for (int index = 0; index < 20; ++index)
    caf::anon_send(awaiting, add_number{0});
  f.run();
  for (auto& line : f.context().actors.lines())
    CHECK(line.mailbox == 0);
  CHECK(f.ask<sum_result>(awaiting, get_sum{})->value == 1);
}

TEST_CASE("every actor describes itself, typed or not, with the state's own words") {
  sum_fixture f;
  auto target = f.sys().spawn(sum);
  f.send(target, add_number{41});
  auto reply = f.ask<runtime::actor_description>(caf::actor_cast<caf::actor>(target),
                                                 runtime::describe_actor{});
  REQUIRE(reply);
  CHECK(reply->name == "SUM");
  CHECK(reply->state == "sum=41");
  auto plain = f.fake<caf::actor>([](int) {});
  auto other = f.ask<runtime::actor_description>(plain, runtime::describe_actor{});
  REQUIRE(other);
  CHECK(other->name == "FAKE");
  CHECK(other->state.empty());
}

TEST_CASE("the trace keeps the types of the last 32 messages, oldest first") {
  sum_fixture f;
  auto target = f.sys().spawn(sum);
  f.send(target, add_number{1});
  CHECK(f.ask<sum_result>(target, get_sum{}).has_value());
  auto vitals = f.context().actors.vitals(target->id());
  REQUIRE(vitals);
  auto entries = vitals->trace.entries();
  REQUIRE(entries.size() == 2);
  CHECK(runtime::name_of(f.sys(), entries[0].type) == "add_number");
  CHECK(runtime::name_of(f.sys(), entries[1].type) == "get_sum");
  for (int index = 0; index < 100; ++index)
    caf::anon_send(target, add_number{1});
  f.run();
  CHECK(vitals->trace.entries().size() == 32);
}

TEST_CASE("ten thousand actors that ended leave the table empty") {
  sum_fixture f;
  for (int index = 0; index < 10'000; ++index) {
    auto target = f.sys().spawn(sum);
    caf::anon_send_exit(target, caf::exit_reason::user_shutdown);
    if (index % 100 == 0)
      f.run();
  }
  f.run();
  CHECK(f.context().actors.lines().empty());
  CHECK(f.timers() == 0);
}

TEST_CASE("a probe keeps what it gets and answers nothing") {
  sum_fixture f;
  auto box = std::make_shared<inbox>();
  auto other = std::make_shared<inbox>();
  auto probe = f.probe(box);
  auto sender = f.probe(other);
  f.send_from(sender, probe, add_number{3});
  f.send_from(sender, probe, get_sum{});
  CHECK(box->size() == 2);
  REQUIRE(box->count<add_number>() == 1);
  CHECK(box->all<add_number>()[0].value == 3);
  CHECK(other->size() == 0);
}

TEST_CASE("time moves only when told, and a repeating timer fires at each of its times") {
  sum_fixture f;
  int ticks = 0;
  auto ticking = f.sys().spawn([&](runtime::actor_self<caf::actor, sum_state> self)
                                 -> caf::behavior {
    self->delayed_send(self, std::chrono::milliseconds{10}, caf::tick_atom_v);
    return {[&ticks, self](caf::tick_atom) {
      ++ticks;
      self->delayed_send(self, std::chrono::milliseconds{10}, caf::tick_atom_v);
    }};
  });
  f.run();
  CHECK(ticks == 0);
  f.advance(1000);
  CHECK(ticks == 100);
  CHECK(f.now_ms() == 1000);
}

TEST_CASE("a request without a reply is a timeout in the test's time") {
  sum_fixture f;
  auto target = f.sys().spawn(sum);
  auto reply = f.ask_within<sum_result>(500, target, ask_never{});
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code == runtime::error_code::timeout);
  CHECK(f.now_ms() == 500);
}

TEST_CASE("a handler that throws ends its actor with an error that has its words") {
  sum_fixture f;
  auto thrower = f.fake<caf::actor>([](const add_number&) -> sum_result {
    throw std::runtime_error("out of range");
  });
  auto reply = f.ask<sum_result>(thrower, add_number{1});
  REQUIRE_FALSE(reply);
  auto reason = f.end_of(thrower);
  REQUIRE(reason);
  CHECK(reason->code == runtime::error_code::internal);
  CHECK(reason->message == "exception in FAKE: out of range");
}

TEST_CASE("a message that no handler takes is answered unexpected, and the actor lives on") {
  sum_fixture f;
  auto fake = f.fake<caf::actor>([](const add_number&) {});
  auto reply = f.ask<sum_result>(fake, get_sum{});
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code == runtime::error_code::protocol_mismatch);
  CHECK(f.is_alive(fake));
}

TEST_CASE("under load from many threads no message is counted twice or lost") {
  constexpr int senders = 4;
  constexpr std::int64_t each = 25'000;
  runtime::system_config config;
  config.add_message_types<caf::id_block::dim_runtime_tests>();
  caf::actor_system system{config};
  auto target = system.spawn(sum);
  std::vector<std::thread> threads;
  for (int index = 0; index < senders; ++index)
    threads.emplace_back([target] {
      for (std::int64_t count = 0; count < each; ++count)
        caf::anon_send(target, add_number{1});
    });
  for (auto& thread : threads)
    thread.join();
  caf::scoped_actor self{system};
  std::int64_t total = 0;
  self->request(target, std::chrono::seconds{60}, get_sum{})
    .receive([&](const sum_result& x) { total = x.value; }, [](const caf::error&) {});
  CHECK(total == senders * each);
  // The reply is sent before the base counts its request as handled: the next one comes after.
  self->request(target, std::chrono::seconds{60}, get_sum{})
    .receive([](const sum_result&) {}, [](const caf::error&) {});
  auto line = config.context->actors.lines().at(0);
  CHECK(line.mailbox <= 1);
  CHECK(line.handled >= senders * each + 1);
  caf::anon_send_exit(target, caf::exit_reason::user_shutdown);
}

TEST_CASE("under simulation a detached actor is a cooperative one") {
  sum_fixture f;
  auto here = std::this_thread::get_id();
  std::thread::id there;
  auto blocking = runtime::spawn_detached(f.sys(), f.sys(), [&there](sum_self self) {
    there = std::this_thread::get_id();
    return sum(self);
  });
  CHECK(f.ask<sum_result>(blocking, get_sum{})->value == 0);
  CHECK(there == here);
}
