#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <memory>
#include <thread>

#include "runtime/actor_lane.hpp"
#include "runtime/messages.hpp"
#include "runtime/spawn.hpp"
#include "runtime/system.hpp"

using namespace dim::runtime;

namespace {

using number_actor = caf::typed_actor<caf::reacts_to<std::int32_t>>;

struct light_state {
  static inline const char* name = "LIGHT";
  static constexpr bool runs_on_lanes = true;
};

struct heavy_state {
  static inline const char* name = "HEAVY";
};

struct owner_state {
  static inline const char* name = "OWNER";
  static constexpr bool has_lane = true;
};

/// Notes its thread, then sends to `next`.
template <class State>
number_actor::behavior_type relay(actor_self<number_actor, State> self,
                                  std::shared_ptr<std::promise<std::thread::id>> note,
                                  number_actor next) {
  return {
    [self, note, next](std::int32_t number) {
      note->set_value(std::this_thread::get_id());
      if (next)
        self->send(next, number);
    },
  };
}

using echo_actor = caf::typed_actor<caf::replies_to<std::int32_t>::with<std::int32_t>>;

echo_actor::behavior_type echo(actor_self<echo_actor, owner_state>) {
  return {[](std::int32_t number) { return number; }};
}

using thread_note = std::shared_ptr<std::promise<std::thread::id>>;

thread_note new_note() {
  return std::make_shared<std::promise<std::thread::id>>();
}

std::thread::id thread_of(const thread_note& note) {
  auto result = note->get_future();
  REQUIRE(result.wait_for(std::chrono::seconds{10}) == std::future_status::ready);
  return result.get();
}

/// Actors here are spawned lazily: a message, and no start on the scheduler, makes them run first.
struct lane_fixture {
  system_config config;
  caf::actor_system system{config};
  actor_lane& lane = context_of(system).lanes.take(system);
};

}  // namespace

TEST_CASE("a row of light actors runs on the lane, from the first to the last") {
  lane_fixture f;
  auto last = new_note();
  auto first = new_note();
  auto due = 0;
  f.lane.enter([&] { ++due; });
  number_actor end = f.system.spawn<caf::lazy_init>(relay<light_state>, last, number_actor{});
  number_actor begin = f.system.spawn<caf::lazy_init>(relay<light_state>, first, end);
  send_from_thread(begin, std::int32_t{1});
  CHECK(due == 1);
  f.lane.run();
  CHECK(thread_of(first) == std::this_thread::get_id());
  CHECK(thread_of(last) == std::this_thread::get_id());
  f.lane.leave();
}

TEST_CASE("an actor that is not light runs on a thread of the scheduler") {
  lane_fixture f;
  auto note = new_note();
  f.lane.enter({});
  number_actor heavy = f.system.spawn<caf::lazy_init>(relay<heavy_state>, note, number_actor{});
  send_from_thread(heavy, std::int32_t{1});
  f.lane.run();
  CHECK(thread_of(note) != std::this_thread::get_id());
  f.lane.leave();
}

TEST_CASE("what waits when a thread leaves its lane runs on a thread of the scheduler") {
  lane_fixture f;
  auto note = new_note();
  f.lane.enter({});
  number_actor light = f.system.spawn<caf::lazy_init>(relay<light_state>, note, number_actor{});
  send_from_thread(light, std::int32_t{1});
  f.lane.leave();
  CHECK(actor_lane::of_this_thread() == nullptr);
  CHECK(thread_of(note) != std::this_thread::get_id());
}

TEST_CASE("another thread that uses the lane as its unit reaches the scheduler") {
  lane_fixture f;
  auto note = new_note();
  number_actor light = f.system.spawn<caf::lazy_init>(relay<light_state>, note, number_actor{});
  caf::actor_cast<caf::abstract_actor*>(light)->enqueue(
    nullptr, caf::make_message_id(), caf::make_message(std::int32_t{1}), &f.lane);
  CHECK(thread_of(note) != std::this_thread::get_id());
}

TEST_CASE("a detached actor with a lane runs those it has woken on its own thread") {
  lane_fixture f;
  auto mine = new_note();
  auto woken = new_note();
  number_actor light = f.system.spawn<caf::lazy_init>(relay<light_state>, woken, number_actor{});
  number_actor owner = spawn_detached(f.system, f.system, relay<owner_state>, mine, light);
  caf::anon_send(owner, std::int32_t{1});
  CHECK(thread_of(mine) == thread_of(woken));
}

TEST_CASE("a thread that looks for work gets messages and ends like one that sleeps") {
  system_config config;
  config.context->spin_limit = std::chrono::milliseconds{5};
  {
    caf::actor_system system{config};
    caf::scoped_actor self{system};
    auto owner = spawn_detached(system, system, echo);
    for (std::int32_t number = 0; number < 500; ++number) {
      // While it looks, and while it sleeps: the traffic is light for some of them only.
      config.context->traffic.note(number % 7 == 0 ? traffic::few + 1 : 1);
      std::int32_t answer = -1;
      self->request(owner, std::chrono::seconds{10}, number)
        .receive([&](std::int32_t value) { answer = value; }, [](caf::error&) {});
      REQUIRE(answer == number);
    }
    config.context->traffic.note(1);
    caf::anon_send_exit(owner, caf::exit_reason::user_shutdown);
    self->wait_for(owner);
  }
  CHECK(config.context->actors.handles().empty());
}

TEST_CASE("a lane that has been given back is used again") {
  lane_fixture f;
  auto& lanes = context_of(f.system).lanes;
  lanes.give_back(f.lane);
  CHECK(&lanes.take(f.system) == &f.lane);
  CHECK(&lanes.take(f.system) != &f.lane);
}
