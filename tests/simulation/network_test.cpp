#include "tests/simulation/network.hpp"

#include <memory>
#include <optional>
#include <vector>

#include <doctest/doctest.h>

#include "actors/node/messages.hpp"
#include "actors/type_ids.hpp"
#include "runtime/actor_base.hpp"

using namespace dim;
using namespace dim::simulation;

namespace {

struct peer_state {
  static inline const char* name = "PEER";
};
using peer_pointer = runtime::actor_self<caf::actor, peer_state>;
using number = actors::acknowledge_execution;

/// Two hosts: "a" listens and keeps the numbers that it gets, "b" dials it.
struct two_hosts {
  explicit two_hosts(link_quality quality = {}, std::uint64_t seed = 1)
    : sim(seed), net(sim, quality) {
    a = net.add_host("a");
    b = net.add_host("b");
    start_a();
    net.start_host(b);
    dialer = net.spawn_dialer(b);
  }

  void start_a() {
    net.start_host(a);
    sim.as(a, [&] {
      entry = sim.system().spawn([this](peer_pointer self) -> caf::behavior {
        self->set_down_handler([this](caf::down_msg&) { ++b_is_down; });
        return {[this, self](const number& news) {
          if (auto sender = caf::actor_cast<caf::actor>(self->current_sender());
              sender && got.empty())
            self->monitor(sender);
          got.push_back(news.epoch);
        }};
      });
    });
    net.listen(a, entry);
  }

  /// Dials; what `b` then holds instead of the entry of `a`.
  bool dial() {
    peer = {};
    sim.as(b, [&] {
      caller = sim.system().spawn([this](peer_pointer self) -> caf::behavior {
        self->set_down_handler([this](caf::down_msg&) { down_at_ms = sim.now_ms(); });
        self->request(dialer, std::chrono::seconds{5}, caf::connect_atom_v, std::string{"a"},
                      static_cast<std::uint16_t>(a + 1))
          .then(
            [this, self](const caf::node_id&, const caf::strong_actor_ptr& found,
                         const std::set<std::string>&) {
              peer = caf::actor_cast<caf::actor>(found);
              self->monitor(peer);
            },
            [this](const caf::error&) { ++refusals; });
        return {[this, self](const number& news) { self->send(peer, news); }};
      });
    });
    run_ms(6'000);
    return static_cast<bool>(peer);
  }

  /// `b` sends `count` numbers from `first` on.
  void send(std::uint32_t first, std::uint32_t count) {
    sim.as(b, [&] {
      for (auto next = first; next < first + count; ++next)
        caf::anon_send(caller, number{"", next});
    });
  }

  void run_ms(std::int64_t duration_ms) {
    auto is_over = false;
    sim.after_us(duration_ms * 1'000, [&is_over] { is_over = true; });
    while (!is_over && sim.step()) {
    }
  }

  simulator sim;
  network net;
  host_id a = no_host;
  host_id b = no_host;
  caf::io::middleman_actor dialer;
  caf::actor entry;
  caf::actor caller;
  caf::actor peer;
  std::vector<std::uint32_t> got;
  int b_is_down = 0;
  int refusals = 0;
  std::optional<std::int64_t> down_at_ms;
};

std::vector<std::uint32_t> numbers(std::uint32_t count) {
  std::vector<std::uint32_t> result;
  for (std::uint32_t next = 0; next < count; ++next)
    result.push_back(next);
  return result;
}

}  // namespace

TEST_CASE("messages between hosts arrive once and in order over links like TCP's") {
  two_hosts f;
  REQUIRE(f.dial());
  f.send(0, 200);
  f.run_ms(60'000);
  CHECK(f.got == numbers(200));
}

TEST_CASE("without order messages overtake each other, some are lost, some come twice") {
  link_quality quality;
  quality.in_order = false;
  quality.loss = 0.1;
  quality.duplicates = 0.1;
  two_hosts f{quality};
  REQUIRE(f.dial());
  f.send(0, 500);
  f.run_ms(60'000);
  CHECK_FALSE(std::is_sorted(f.got.begin(), f.got.end()));
  std::set<std::uint32_t> different(f.got.begin(), f.got.end());
  CHECK(different.size() < 500);
  CHECK(different.size() > 400);
  CHECK(f.got.size() > different.size());
}

TEST_CASE("a short cut holds messages back and loses none") {
  two_hosts f;
  REQUIRE(f.dial());
  f.net.cut(f.b, f.a);
  f.send(0, 50);
  f.run_ms(5'000);
  CHECK(f.got.empty());
  f.net.heal(f.b, f.a);
  f.run_ms(5'000);
  CHECK(f.got == numbers(50));
  CHECK_FALSE(f.down_at_ms.has_value());
}

TEST_CASE("a link that stays cut is given up after the silence that the settings name") {
  two_hosts f;
  REQUIRE(f.dial());
  auto since_ms = f.sim.now_ms();
  f.net.cut(f.a, f.b);
  f.net.cut(f.b, f.a);
  f.run_ms(30'000);
  REQUIRE(f.down_at_ms.has_value());
  CHECK(*f.down_at_ms - since_ms >= 10'000);
  CHECK(*f.down_at_ms - since_ms <= 11'100);
  f.send(0, 1);
  f.run_ms(1'000);
  CHECK(f.got.empty());
}

TEST_CASE("the end of a process is seen at once, that of its machine after silence") {
  for (auto silently : {false, true}) {
    two_hosts f;
    REQUIRE(f.dial());
    auto since_ms = f.sim.now_ms();
    f.net.stop_host(f.a, silently);
    f.sim.end_host(f.a);
    f.run_ms(30'000);
    REQUIRE(f.down_at_ms.has_value());
    if (silently)
      CHECK(*f.down_at_ms - since_ms >= 10'000);
    else
      CHECK(*f.down_at_ms - since_ms < 300);
  }
}

TEST_CASE("a process that is started anew refuses what was sent to the one before it") {
  two_hosts f;
  REQUIRE(f.dial());
  f.net.stop_host(f.a, true);
  f.sim.end_host(f.a);
  f.send(0, 3);
  f.start_a();
  f.run_ms(3'000);
  CHECK(f.down_at_ms.has_value());
  CHECK(f.got.empty());
  REQUIRE(f.dial());
  f.send(3, 1);
  f.run_ms(1'000);
  CHECK(f.got == std::vector<std::uint32_t>{3});
}

TEST_CASE("nobody answers at a host that is down, and a dial is refused") {
  two_hosts f;
  f.net.stop_host(f.a, false);
  f.sim.end_host(f.a);
  CHECK_FALSE(f.dial());
  CHECK(f.refusals == 1);
}

TEST_CASE("a frozen process runs nothing, is given up, and goes on afterwards") {
  two_hosts f;
  REQUIRE(f.dial());
  f.net.freeze(f.a);
  f.send(0, 2);
  f.run_ms(5'000);
  CHECK(f.got.empty());
  f.run_ms(20'000);
  CHECK(f.down_at_ms.has_value());
  f.net.thaw(f.a);
  f.run_ms(1'000);
  CHECK(f.got == numbers(2));
}

TEST_CASE("who monitors an actor of another host hears of its end") {
  two_hosts f;
  REQUIRE(f.dial());
  f.send(0, 1);
  f.run_ms(1'000);
  f.sim.end_actor(f.caller, caf::exit_reason::user_shutdown);
  f.run_ms(1'000);
  CHECK(f.b_is_down == 1);
}

TEST_CASE("the same seed makes the same run, another seed another") {
  auto hash_of = [](std::uint64_t seed) {
    two_hosts f{{}, seed};
    f.dial();
    f.send(0, 100);
    f.run_ms(10'000);
    return f.sim.steps_taken.hash();
  };
  CHECK(hash_of(1) == hash_of(1));
  CHECK(hash_of(1) != hash_of(2));
}
