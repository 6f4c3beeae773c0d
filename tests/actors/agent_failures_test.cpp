// AGENT when its worker dies, hangs, does not start or can not load.
#include <doctest/doctest.h>

#include <set>

#include "runtime/random_source.hpp"
#include "tests/actors/agent_fixture.hpp"

using namespace dim;
using namespace dim::actors;
using runtime::error_code;
using tests::agent_fixture;
using tests::answer;
using tests::code_of;
using tests::infer_of;
using tests::pairs;
using tests::result_of;

TEST_CASE("each request of a batch that died is run again alone, and only the killer is blamed") {
  agent_fixture f;
  f.start();
  auto first = f.ask_for(infer_of("0"));
  std::vector<answer> replies;
  for (int number = 1; number <= 3; ++number)
    replies.push_back(f.ask_for(infer_of(std::to_string(number), pairs(1, char('0' + number)))));
  f.finish_batch();
  REQUIRE(f.script->batches[0].content.requests.size() == 3);
  f.die();
  for (auto& reply : replies)
    CHECK_FALSE(reply->has_value());

  // In their order, one at a time, after the back-off.
  f.advance(100);
  for (int number = 1; number <= 3; ++number) {
    REQUIRE(f.script->batches.size() == 1);
    REQUIRE(f.script->batches[0].content.requests.size() == 1);
    CHECK(f.script->batches[0].content.requests[0][0].data.view() ==
          std::string(8, char('0' + number)));
    if (number == 2) {
      f.die();
      f.advance(200);
    } else {
      f.finish_batch();
    }
  }
  CHECK(code_of(replies[0]) == error_code::none);
  CHECK(code_of(replies[1]) == error_code::agent_lost);
  CHECK(result_of(replies[1]).killed_agent);
  CHECK(result_of(replies[1]).logs.find("it died") != std::string::npos);
  CHECK(result_of(replies[1]).logs.find("last words") != std::string::npos);
  CHECK(code_of(replies[2]) == error_code::none);
}

TEST_CASE("a request that was alone when the worker died is not run again") {
  agent_fixture f;
  f.start();
  auto reply = f.ask_for(infer_of("1"));
  f.die(error_code::memory_limit);
  CHECK(code_of(reply) == error_code::memory_limit);
  CHECK(result_of(reply).killed_agent);
}

TEST_CASE("with two batches at the worker nobody is blamed, everyone is run again alone") {
  agent_fixture f;
  f.arguments.spec.max_batch_size = 1;
  f.start();
  auto first = f.ask_for(infer_of("1"));
  auto second = f.ask_for(infer_of("2"));
  REQUIRE(f.script->batches.size() == 2);
  f.die();
  f.advance(100);
  REQUIRE(f.script->batches.size() == 1);
  f.finish_batch();
  REQUIRE(f.script->batches.size() == 1);
  f.finish_batch();
  CHECK(code_of(first) == error_code::none);
  CHECK(code_of(second) == error_code::none);
}

TEST_CASE("a forward beyond the agent timeout is killed and blamed") {
  agent_fixture f;
  f.arguments.options.timeout_ms = 2'000;
  f.start();
  auto reply = f.ask_for(infer_of("1"));
  f.advance(1'990);
  CHECK(f.script->kills.empty());
  f.advance(500);
  REQUIRE(f.script->kills.size() == 1);
  CHECK(code_of(reply) == error_code::agent_timeout);
  CHECK(result_of(reply).killed_agent);
}

TEST_CASE("a batch that waits behind another has its timeout counted from its own start") {
  agent_fixture f;
  f.arguments.options.timeout_ms = 2'000;
  f.arguments.spec.max_batch_size = 1;
  f.start();
  auto first = f.ask_for(infer_of("1"));
  auto second = f.ask_for(infer_of("2"));
  f.advance(1'500);
  f.finish_batch();
  f.advance(1'900);
  CHECK(f.script->kills.empty());
  f.finish_batch();
  CHECK(code_of(second) == error_code::none);
}

TEST_CASE("an error of the model for a batch is looked for by running each request alone") {
  agent_fixture f;
  f.start();
  auto first = f.ask_for(infer_of("0"));
  auto good = f.ask_for(infer_of("1"));
  auto bad = f.ask_for(infer_of("2"));
  f.finish_batch();
  f.fail_batch(error_code::internal);
  f.finish_batch();
  f.fail_batch(error_code::internal);
  CHECK(code_of(good) == error_code::none);
  CHECK(code_of(bad) == error_code::internal);
  CHECK(result_of(bad).error.message == "the model said no");
  CHECK_FALSE(result_of(bad).killed_agent);
  CHECK(f.script->starts.size() == 1);
}

TEST_CASE("a worker that answers nonsense is replaced") {
  agent_fixture f;
  f.start();
  auto reply = f.ask_for(infer_of("1"));
  f.fail_batch(caf::make_error(caf::sec::unexpected_message));
  REQUIRE(f.script->kills.size() == 1);
  CHECK(code_of(reply) == error_code::agent_lost);
}

TEST_CASE("an agent that dies too often lets its waiting requests go, rests, and is mended") {
  agent_fixture f;
  f.start();
  std::vector<answer> killers;
  for (int death = 0; death < 3; ++death) {
    killers.push_back(f.ask_for(infer_of("killer" + std::to_string(death))));
    f.die();
    f.advance(1'000);
  }
  CHECK(f.script->starts.size() == 3);
  auto last = f.ask_for(infer_of("last"));
  auto waiting = f.ask_for(infer_of("waiting"));
  f.die();
  CHECK(result_of(last).killed_agent);
  CHECK(code_of(waiting) == error_code::agent_lost);
  CHECK_FALSE(result_of(waiting).killed_agent);
  CHECK(code_of(f.ask_for(infer_of("refused"))) == error_code::agent_lost);
  f.advance(30'000);
  CHECK(code_of(f.ask_for(infer_of("refused"))) == error_code::agent_lost);
  f.advance(31'000);
  auto mended = f.ask_for(infer_of("mended"));
  f.finish_batch();
  CHECK(code_of(mended) == error_code::none);
}

TEST_CASE("a model that can not be loaded ends the agent, and everyone hears why") {
  agent_fixture f;
  f.script->load_error = {error_code::bad_model, "not TorchScript", {}};
  f.start();
  auto first = f.ask_for(infer_of("1"));
  CHECK(code_of(first) == error_code::bad_model);
  CHECK(result_of(first).error.message == "not TorchScript");
  CHECK(f.script->kills.size() == 1);
  REQUIRE(f.owner->count<agent_idle>() == 1);
  CHECK(f.owner->all<agent_idle>()[0].model_key == "pairs:1");
  CHECK(code_of(f.ask_for(infer_of("2"))) == error_code::bad_model);
  CHECK(f.script->starts.size() == 1);
  f.send(f.agent, stop_agent{});
  CHECK_FALSE(f.is_alive(f.agent));
}

TEST_CASE("a worker that is not ready in time is killed and started again after a back-off") {
  agent_fixture f;
  f.arguments.options.start_timeout_ms = 5'000;
  f.script->answers_start = false;
  f.start();
  auto reply = f.ask_for(infer_of("1"));
  f.advance(4'990);
  CHECK(f.script->kills.empty());
  f.advance(20);
  REQUIRE(f.script->kills.size() == 1);
  CHECK_FALSE(reply->has_value());
  f.script->answers_start = true;
  f.advance(200);
  CHECK(f.script->starts.size() == 2);
  f.finish_batch();
  CHECK(code_of(reply) == error_code::none);
}

TEST_CASE("news of an older worker changes nothing") {
  agent_fixture f;
  f.start();
  auto first = f.ask_for(infer_of("1"));
  auto old_token = f.script->starts[0].token;
  f.die();
  auto second = f.ask_for(infer_of("2"));
  f.advance(200);
  REQUIRE(f.script->starts.size() == 2);
  f.send(f.script->listener, worker_ended{old_token, {error_code::agent_lost, "late", {}}, {}});
  f.send(f.script->listener, agent_ready{old_token, 1, {}});
  CHECK_FALSE(second->has_value());
  f.finish_batch();
  CHECK(code_of(second) == error_code::none);
}

TEST_CASE("an agent without work tells its device once, and ends when it is told to") {
  agent_fixture f;
  f.arguments.options.idle_ms = 10'000;
  f.start();
  auto reply = f.ask_for(infer_of("1"));
  f.finish_batch();
  f.advance(9'900);
  CHECK(f.owner->count<agent_idle>() == 0);
  f.advance(60'000);
  CHECK(f.owner->count<agent_idle>() == 1);
  f.send(f.agent, stop_agent{});
  REQUIRE(f.script->kills.size() == 1);
  CHECK_FALSE(f.is_alive(f.agent));
}

TEST_CASE("an agent that is stopped answers what it has before it ends") {
  agent_fixture f;
  f.start();
  auto running = f.ask_for(infer_of("1"));
  auto waiting = f.ask_for(infer_of("2"));
  f.send(f.agent, stop_agent{});
  CHECK(f.is_alive(f.agent));
  CHECK(code_of(f.ask_for(infer_of("3"))) == error_code::unavailable);
  f.finish_batch();
  f.finish_batch();
  CHECK(code_of(running) == error_code::none);
  CHECK(code_of(waiting) == error_code::none);
  CHECK_FALSE(f.is_alive(f.agent));
}

TEST_CASE("an agent that crashes, or whose host crashes, answers everyone") {
  agent_fixture f;
  f.start();
  auto running = f.ask_for(infer_of("1"));
  auto waiting = f.ask_for(infer_of("2"));
  f.kill(f.agent);
  CHECK(code_of(running) == error_code::agent_lost);
  CHECK(code_of(waiting) == error_code::agent_lost);
}

TEST_CASE("a host that can not end its worker ends the agent, and everyone is answered") {
  agent_fixture f;
  f.arguments.options.timeout_ms = 1'000;
  f.arguments.options.start_timeout_ms = 5'000;
  f.script->answers_kill = false;
  f.start();
  auto reply = f.ask_for(infer_of("1"));
  f.advance(7'000);
  CHECK(code_of(reply) == error_code::agent_lost);
  CHECK_FALSE(f.is_alive(f.agent));
}

TEST_CASE("every accepted request gets exactly one reply, whatever its worker does") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    runtime::random_source random{seed};
    agent_fixture f;
    f.arguments.spec.max_batch_size = std::int64_t(random.below(5));
    f.arguments.spec.inputs = tests::pair_spec(f.arguments.spec.max_batch_size).inputs;
    f.arguments.spec.batch_delay_max_us = std::uint32_t(random.below(2) * 3'000);
    f.arguments.options.timeout_ms = 5'000;
    f.arguments.supervision.restarts_max = 1'000;
    f.start();
    std::vector<answer> replies;
    for (int step = 0; step < 300; ++step) {
      auto id = std::to_string(replies.size());
      switch (random.below(8)) {
        case 0: case 1: case 2: {
          auto content = infer_of(id, pairs(), 1 + random.below(20'000));
          content.deterministic = random.below(4) == 0;
          replies.push_back(f.ask_for(std::move(content)));
          break;
        }
        case 3:
          if (!f.script->batches.empty())
            f.finish_batch();
          break;
        case 4:
          if (!f.script->batches.empty() && random.below(2) == 0)
            f.fail_batch(error_code::internal);
          break;
        case 5:
          if (!f.script->starts.empty() && random.below(4) == 0)
            f.die();
          break;
        case 6:
          f.send(f.agent, withdraw_infer{std::to_string(random.below(replies.size() + 1))});
          break;
        default:
          f.advance(std::int64_t(random.below(500)));
      }
    }
    f.script->echoes = true;
    while (!f.script->batches.empty())
      f.finish_batch();
    f.advance(60'000);
    for (auto& reply : replies)
      REQUIRE(reply->has_value());
    auto load = f.ask<agent_load>(f.agent, get_agent_load{});
    CHECK(load->queued == 0);
    CHECK(load->running == 0);
  }
}
