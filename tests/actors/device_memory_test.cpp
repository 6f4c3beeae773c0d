// DEVICE's account of memory: who gets room, who makes it, and who waits for it.
#include "tests/actors/device_fixture.hpp"

using namespace dim;
using namespace dim::actors;
using runtime::error_code;
using tests::code_of;
using tests::device_fixture;
using tests::infer_of;
using tests::infer_reply;
using tests::mib;

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
  f.finish_batch();
  CHECK(code_of(running) == error_code::none);
  CHECK(code_of(waiting) == error_code::none);
  CHECK(f.agents_told() == std::vector<std::string>{a.key(), c.key()});
}

TEST_CASE("of two idle agents the one that was used first goes, and the request is served") {
  device_fixture f;
  f.start();
  auto a = device_fixture::model("a");
  auto b = device_fixture::model("b");
  auto c = device_fixture::model("c");
  f.ask_for(a, infer_of("1"));
  f.ask_for(b, infer_of("2"));
  SUBCASE("a was used last") {
    f.ask_for(a, infer_of("3"));
    CHECK(code_of(f.ask_for(c, infer_of("4"))) == error_code::none);
    CHECK(f.agents_told() == std::vector<std::string>{a.key(), c.key()});
  }
  SUBCASE("b was used last") {
    f.ask_for(b, infer_of("3"));
    CHECK(code_of(f.ask_for(c, infer_of("4"))) == error_code::none);
    CHECK(f.agents_told() == std::vector<std::string>{b.key(), c.key()});
  }
  CHECK(f.load_told().memory_used_bytes == 800 * mib);
  CHECK(f.script->kills.size() == 1);
}

TEST_CASE("a busy agent is ended for another model only after all its requests are answered") {
  device_fixture f;
  f.start();
  auto a = device_fixture::model("a", 600 * mib);
  auto b = device_fixture::model("b", 600 * mib);
  f.script->echoes = false;
  std::vector<infer_reply> busy;
  for (auto* id : {"1", "2", "3"})
    busy.push_back(f.ask_for(a, infer_of(id)));
  auto waiting = f.ask_for(b, infer_of("4"));
  auto behind = f.ask_for(a, infer_of("5"));
  while (!busy.back()->has_value()) {
    CHECK(f.script->kills.empty());
    CHECK(f.load_told().memory_used_bytes == 600 * mib);
    CHECK_FALSE(waiting->has_value());
    f.finish_batch();
  }
  for (auto& reply : busy)
    CHECK(code_of(reply) == error_code::none);
  // Then b has its turn, and a, which was asked for later, has it after b.
  CHECK(f.script->kills.size() == 1);
  f.finish_batch();
  CHECK(code_of(waiting) == error_code::none);
  f.finish_batch();
  CHECK(code_of(behind) == error_code::none);
  CHECK(f.agents_told() == std::vector<std::string>{a.key()});
}

TEST_CASE("a model that is loaded waits for room as its requests do, for as long as it has time") {
  device_fixture f;
  f.start();
  auto a = device_fixture::model("a", 600 * mib);
  auto b = device_fixture::model("b", 600 * mib);
  f.script->echoes = false;
  auto busy = f.ask_for(a, infer_of("1"));
  auto loaded = f.serve(b, true, 5'000);
  CHECK_FALSE(loaded->has_value());
  SUBCASE("and is loaded when there is room") {
    f.finish_batch();
    REQUIRE(loaded->has_value());
    CHECK((*loaded)->has_value());
    CHECK(f.agents_told() == std::vector<std::string>{b.key()});
  }
  SUBCASE("and is not loaded when there is room too late") {
    f.advance(6'000);
    f.finish_batch();
    REQUIRE(loaded->has_value());
    REQUIRE_FALSE((*loaded)->has_value());
    CHECK((*loaded)->error().code == error_code::expired);
    CHECK(f.count_actors("AGENT") == 0);
  }
  SUBCASE("and is not loaded when it was unloaded meanwhile") {
    auto unloaded = f.serve(b, false);
    REQUIRE(loaded->has_value());
    CHECK((*loaded)->error().code == error_code::cancelled);
    REQUIRE(unloaded->has_value());
    CHECK((*unloaded)->has_value());
    f.finish_batch();
    CHECK(f.agents_told().empty());
  }
  SUBCASE("and is answered when the device ends") {
    f.kill(f.device);
    REQUIRE(loaded->has_value());
    CHECK((*loaded)->error().code == error_code::agent_lost);
  }
  if (!f.script->batches.empty())
    f.finish_batch();
  CHECK(busy->has_value());
}

TEST_CASE("loading a model that never fits is refused, and costs nobody its agent") {
  device_fixture f;
  f.start();
  auto a = device_fixture::model("a");
  f.ask_for(a, infer_of("1"));
  auto refused = f.serve(device_fixture::model("huge", ~std::uint64_t{0}));
  REQUIRE(refused->has_value());
  CHECK((*refused)->error().code == error_code::memory_limit);
  CHECK(f.agents_told() == std::vector<std::string>{a.key()});
}

TEST_CASE("each worker of an agent is counted in the device's memory") {
  device_fixture f;
  f.start();
  auto a = device_fixture::model("a", 300 * mib);
  a.spec.instances = {{2, models::instance_kind::automatic, {}},
                      {1, models::instance_kind::cpu, {}}};
  CHECK(memory_need_of(a, 3) == 900 * mib);
  CHECK(code_of(f.ask_for(a, infer_of("1"))) == error_code::none);
  CHECK(f.script->starts.size() == 3);
  CHECK(f.load_told().memory_used_bytes == 900 * mib);
  auto b = device_fixture::model("b", 200 * mib);
  CHECK(code_of(f.ask_for(b, infer_of("2"))) == error_code::none);
  CHECK(f.agents_told() == std::vector<std::string>{b.key()});
  a.spec.instances = {{4, models::instance_kind::cpu, {}}};
  CHECK(code_of(f.ask_for(a, infer_of("3"))) == error_code::memory_limit);
  a.spec.memory_bytes = ~std::uint64_t{0} / 2;
  CHECK(memory_need_of(a, 4) == ~std::uint64_t{0});
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
  f.finish_batch();
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
  f.finish_batch();
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

TEST_CASE("memory of a model without a figure of its own is estimated from its file") {
  auto small = device_fixture::model("a", 0);
  auto large = small;
  large.byte_size = 100 * mib;
  CHECK(memory_need_of(large, 1) == memory_need_of(small, 1) + 2 * (100 * mib - small.byte_size));
  CHECK(memory_need_of(device_fixture::model("a", 123), 1) == 123);
}

TEST_CASE("an agent that nobody waits for starts in spare memory, and no agent ends for it") {
  device_fixture f;
  f.start();
  const auto a = device_fixture::model("a");
  const auto b = device_fixture::model("b");
  const auto c = device_fixture::model("c");
  const auto spare = [&](const served_model& what) { return f.serve(what, true, 60'000, true); };
  CHECK(code_of(f.ask_for(a, infer_of("1"))) == error_code::none);
  const auto started = spare(b);
  REQUIRE(started->has_value());
  CHECK((*started)->has_value());
  const auto refused = spare(c);
  REQUIRE(refused->has_value());
  REQUIRE_FALSE((*refused)->has_value());
  CHECK((*refused)->error().code == error_code::memory_limit);
  CHECK(f.agents_told() == std::vector<std::string>{a.key(), b.key()});
  CHECK(f.script->kills.empty());
  // What is there already needs no room.
  CHECK((*spare(a))->has_value());
  CHECK((*spare(b))->has_value());
}

TEST_CASE("an agent that nobody has asked for yet is the first to go when room is needed") {
  device_fixture f;
  f.start();
  const auto a = device_fixture::model("a");
  const auto b = device_fixture::model("b");
  const auto c = device_fixture::model("c");
  CHECK(code_of(f.ask_for(a, infer_of("1"))) == error_code::none);
  CHECK((*f.serve(b, true, 60'000, true))->has_value());
  SUBCASE("nobody asks for it") {
    CHECK(code_of(f.ask_for(c, infer_of("2"))) == error_code::none);
    CHECK(f.agents_told() == std::vector<std::string>{a.key(), c.key()});
  }
  SUBCASE("somebody does") {
    CHECK(code_of(f.ask_for(b, infer_of("2"))) == error_code::none);
    CHECK(code_of(f.ask_for(c, infer_of("3"))) == error_code::none);
    CHECK(f.agents_told() == std::vector<std::string>{b.key(), c.key()});
  }
}

TEST_CASE("an agent that nobody waits for takes no room from requests that wait for some") {
  device_fixture f;
  f.start();
  f.script->echoes = false;
  f.ask_for(device_fixture::model("a", 900 * mib), infer_of("1"));
  const auto waiting = f.ask_for(device_fixture::model("b", 900 * mib), infer_of("2"));
  CHECK_FALSE(waiting->has_value());
  const auto refused = f.serve(device_fixture::model("c", 10 * mib), true, 60'000, true);
  REQUIRE(refused->has_value());
  CHECK_FALSE((*refused)->has_value());
}
