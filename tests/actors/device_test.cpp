#include <doctest/doctest.h>

#include "actors/node/device.hpp"
#include "tests/actors/agent_support.hpp"

using namespace dim;
using namespace dim::actors;
using runtime::error_code;
using tests::infer_of;
using tests::infer_reply;

namespace {

constexpr std::uint64_t mib = 1 << 20;

/// DEVICE with real AGENTs over fake workers that answer at once.
struct device_fixture : tests::actor_fixture {
  std::shared_ptr<tests::worker_script> script = std::make_shared<tests::worker_script>();
  std::shared_ptr<tests::inbox> node = std::make_shared<tests::inbox>();
  device_arguments arguments;
  device_actor device;

  device_fixture() {
    script->echoes = true;
    arguments.facts = {"cpu:0-1", "cpu", "", 2, 1'000 * mib, 4};
    arguments.options.idle_ms = 60'000;
    arguments.options.timeout_ms = 10'000;
    arguments.make_host = tests::fake_hosts(script);
    arguments.node.set(caf::actor_cast<node_control_actor>(probe(node)));
  }

  void start() {
    device = sys().spawn(actors::device, arguments);
    run();
  }

  static served_model model(const std::string& name, std::uint64_t memory_bytes = 400 * mib) {
    served_model result{name, "1", std::string(64, 'd'), "/cache/" + name, 1'000, {}};
    result.spec = tests::pair_spec();
    result.spec.name = name;
    result.spec.memory_bytes = memory_bytes;
    return result;
  }

  infer_reply ask_for(const served_model& what, infer content) {
    return tests::ask_agent(*this, device, run_on_device{what, std::move(content)});
  }

  std::vector<std::string> agents_told() {
    auto news = node->all<device_changed>();
    REQUIRE_FALSE(news.empty());
    return news.back().model_keys;
  }
};

error_code code_of(const infer_reply& reply) {
  REQUIRE(reply->has_value());
  REQUIRE((*reply)->has_value());
  return (**reply)->error.code;
}

}  // namespace

TEST_CASE("each model gets one agent, pinned to the device's cores, and the node is told") {
  device_fixture f;
  f.start();
  auto a = device_fixture::model("a");
  auto b = device_fixture::model("b");
  CHECK(code_of(f.ask_for(a, infer_of("1"))) == error_code::none);
  CHECK(code_of(f.ask_for(a, infer_of("2"))) == error_code::none);
  CHECK(f.count_actors("AGENT") == 1);
  // The same file under another name is another model: its spec may differ.
  CHECK(code_of(f.ask_for(b, infer_of("3"))) == error_code::none);
  CHECK(f.count_actors("AGENT") == 2);
  REQUIRE(f.script->orders.size() == 2);
  CHECK(f.script->orders[0].label == "a:1");
  CHECK(f.script->orders[0].cores == std::vector<std::uint32_t>{0, 1});
  CHECK(f.script->loads[0].threads == 2);
  CHECK(f.agents_told() == std::vector<std::string>{a.key(), b.key()});
}

TEST_CASE("an agent without work is stopped, and a later request makes a new one") {
  device_fixture f;
  f.start();
  auto a = device_fixture::model("a");
  f.ask_for(a, infer_of("1"));
  f.advance(70'000);
  CHECK(f.count_actors("AGENT") == 0);
  CHECK(f.agents_told().empty());
  CHECK(f.script->kills.size() == 1);
  CHECK(code_of(f.ask_for(a, infer_of("2"))) == error_code::none);
  CHECK(f.count_actors("AGENT") == 1);
}

TEST_CASE("the least recently used agent makes room, after it has finished its work") {
  device_fixture f;
  f.start();
  auto a = device_fixture::model("a");
  auto b = device_fixture::model("b");
  auto c = device_fixture::model("c");
  f.ask_for(a, infer_of("1"));
  f.ask_for(b, infer_of("2"));
  f.ask_for(a, infer_of("3"));
  f.script->echoes = false;
  auto running = f.ask_for(b, infer_of("4"));
  f.script->echoes = true;
  f.ask_for(a, infer_of("5"));
  auto waiting = f.ask_for(c, infer_of("6"));
  CHECK_FALSE(waiting->has_value());
  CHECK(f.agents_told() == std::vector<std::string>{a.key()});
  CHECK_FALSE(running->has_value());
  f.send(f.script->inference, caf::tick_atom_v);
  CHECK(code_of(running) == error_code::none);
  CHECK(code_of(waiting) == error_code::none);
  CHECK(f.agents_told() == std::vector<std::string>{a.key(), c.key()});
}

TEST_CASE("a request waits for the room that an ending agent still holds, then it runs") {
  device_fixture f;
  f.start();
  auto a = device_fixture::model("a", 900 * mib);
  auto b = device_fixture::model("b", 900 * mib);
  f.script->echoes = false;
  auto running = f.ask_for(a, infer_of("1"));
  auto waiting = f.ask_for(b, infer_of("2"));
  auto withdrawn = f.ask_for(b, infer_of("3"));
  CHECK(f.count_actors("AGENT") == 1);
  f.send(f.device, withdraw_on_device{b.key(), "3"});
  CHECK(code_of(withdrawn) == error_code::cancelled);
  f.script->echoes = true;
  f.send(f.script->inference, caf::tick_atom_v);
  CHECK(code_of(running) == error_code::none);
  CHECK(code_of(waiting) == error_code::none);
  CHECK(f.agents_told() == std::vector<std::string>{b.key()});
}

TEST_CASE("the time in which a request waited for room is taken off its time left") {
  device_fixture f;
  f.start();
  f.script->echoes = false;
  auto running = f.ask_for(device_fixture::model("a", 900 * mib), infer_of("1"));
  auto late =
    f.ask_for(device_fixture::model("b", 900 * mib), infer_of("2", tests::pairs(), 3'000));
  f.advance(4'000);
  f.send(f.script->inference, caf::tick_atom_v);
  CHECK(code_of(running) == error_code::none);
  CHECK(code_of(late) == error_code::expired);
}

TEST_CASE("a model that never fits is refused, and so is too long a queue for room") {
  device_fixture f;
  f.arguments.options.queue_max = 1;
  f.start();
  CHECK(code_of(f.ask_for(device_fixture::model("huge", 2'000 * mib), infer_of("1"))) ==
        error_code::memory_limit);
  f.script->echoes = false;
  f.ask_for(device_fixture::model("a", 900 * mib), infer_of("2"));
  auto first = f.ask_for(device_fixture::model("b", 900 * mib), infer_of("3"));
  CHECK_FALSE(first->has_value());
  CHECK(code_of(f.ask_for(device_fixture::model("c", 900 * mib), infer_of("4"))) ==
        error_code::overloaded);
}

TEST_CASE("an agent that crashes answers its requests, and the next request makes a new one") {
  device_fixture f;
  f.start();
  f.script->echoes = false;
  auto running = f.ask_for(device_fixture::model("a"), infer_of("1"));
  f.kill(f.script->listener);
  CHECK(code_of(running) == error_code::agent_lost);
  CHECK(f.agents_told().empty());
  f.script->echoes = true;
  CHECK(code_of(f.ask_for(device_fixture::model("a"), infer_of("2"))) == error_code::none);
}

TEST_CASE("a withdrawn request is withdrawn in its agent") {
  device_fixture f;
  f.start();
  f.script->echoes = false;
  auto a = device_fixture::model("a");
  auto running = f.ask_for(a, infer_of("1"));
  auto waiting = f.ask_for(a, infer_of("2"));
  f.send(f.device, withdraw_on_device{a.key(), "2"});
  CHECK(code_of(waiting) == error_code::cancelled);
  CHECK_FALSE(running->has_value());
}

TEST_CASE("agents end with their device, and whoever waits is answered") {
  device_fixture f;
  f.start();
  f.script->echoes = false;
  auto running = f.ask_for(device_fixture::model("a", 900 * mib), infer_of("1"));
  auto waiting = f.ask_for(device_fixture::model("b", 900 * mib), infer_of("2"));
  f.kill(f.device);
  CHECK(code_of(running) == error_code::agent_lost);
  CHECK(code_of(waiting) == error_code::agent_lost);
  CHECK(f.count_actors("AGENT") == 0);
}

TEST_CASE("memory of a model without a figure of its own is estimated from its file") {
  auto small = device_fixture::model("a", 0);
  auto large = small;
  large.byte_size = 100 * mib;
  CHECK(memory_need_of(large) == memory_need_of(small) + 2 * (100 * mib - small.byte_size));
  CHECK(memory_need_of(device_fixture::model("a", 123)) == 123);
}
