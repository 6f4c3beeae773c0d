// AGENT with several workers side by side.
#include <doctest/doctest.h>

#include "runtime/random_source.hpp"
#include "tests/actors/agent_fixture.hpp"

using namespace dim;
using namespace dim::actors;
using runtime::error_code;
using tests::answer;
using tests::code_of;
using tests::infer_of;
using tests::pairs;
using tests::result_of;

namespace {

struct instances_fixture : tests::agent_fixture {
  explicit instances_fixture(std::uint32_t count = 2, std::int64_t rows_max = 1) {
    arguments.spec = tests::pair_spec(rows_max);
    arguments.workers = count;
    arguments.threads = 4;
  }

  /// Every worker has loaded the model: the first request goes to the first of them.
  void start_warm() {
    start();
    REQUIRE(ask<agents_set>(agent, warm_agent{60'000}));
  }

  std::vector<answer> ask_many(int count) {
    std::vector<answer> replies;
    for (int number = 0; number < count; ++number)
      replies.push_back(ask_for(infer_of("r" + std::to_string(replies.size()))));
    return replies;
  }

  /// The oldest batch of the worker at this place.
  const run_batch& batch_at(std::size_t place) {
    auto& batches = script->batches;
    auto found = std::find_if(batches.begin(), batches.end(),
                              [place](auto& each) { return each.place == place; });
    REQUIRE(found != batches.end());
    return found->content;
  }

  agent_load load() {
    auto reply = ask<agent_load>(agent, get_agent_load{});
    REQUIRE(reply);
    return *reply;
  }
};

using counts = std::vector<int>;

}  // namespace

TEST_CASE("the first request starts every worker, which share the device's threads") {
  instances_fixture f{3};
  f.start();
  CHECK(f.script->orders.size() == 3);
  CHECK(f.script->starts.empty());
  auto reply = f.ask_for(infer_of("1"));
  REQUIRE(f.script->starts.size() == 3);
  CHECK(f.script->starts[0].token != f.script->starts[1].token);
  REQUIRE(f.script->loads.size() == 3);
  CHECK(f.script->loads[0].threads == 1);
  CHECK(f.load().workers_ready == 3);
  CHECK(f.owner->count<agent_loaded>() == 3);
  f.finish_batch();
  CHECK(code_of(reply) == error_code::none);
}

TEST_CASE("two workers run two batches at once, and the third waits behind one of them") {
  instances_fixture f;
  f.start_warm();
  auto box = std::make_shared<tests::inbox>();
  auto asker = f.probe(box);
  for (auto* id : {"1", "2", "3", "4", "5"})
    f.send_from(asker, f.agent, infer_of(id));
  CHECK(f.load_of_workers() == counts{2, 2});
  CHECK(box->count<infer_started>() == 2);
  f.finish_batch_at(1);
  CHECK(box->count<infer_started>() == 3);
  CHECK(box->all<infer_started>()[2].request_id == "4");
  // The fifth goes to the worker with fewer batches.
  CHECK(f.load_of_workers() == counts{2, 2});
  CHECK(f.load().running == 4);
}

TEST_CASE("an idle worker gets a batch before a busy one, whichever it is") {
  instances_fixture f{2, 8};
  f.start_warm();
  auto replies = f.ask_many(2);
  for (std::size_t place : {0, 1, 1, 0}) {
    CHECK(f.load_of_workers() == counts{1, 1});
    f.finish_batch_at(place);
    auto next = f.ask_for(infer_of("next"));
  }
  CHECK(f.load_of_workers() == counts{1, 1});
}

TEST_CASE("requests gather in one queue while every worker is busy") {
  instances_fixture f{2, 8};
  f.start();
  auto replies = f.ask_many(6);
  REQUIRE(f.load_of_workers() == counts{1, 1});
  f.finish_batch_at(1);
  REQUIRE(f.load_of_workers() == counts{1, 1});
  CHECK(f.batch_at(1).requests.size() == 4);
}

TEST_CASE("the death of one worker repeats its own batches, and leaves the other's alone") {
  instances_fixture f;
  f.start_warm();
  auto replies = f.ask_many(4);
  REQUIRE(f.load_of_workers() == counts{2, 2});
  f.die_at(0);
  for (auto& reply : replies)
    CHECK_FALSE(reply->has_value());
  CHECK(f.load_of_workers() == counts{0, 2});
  CHECK(f.load().workers_ready == 1);
  // Neither is blamed: there were two at the worker. The one that lives takes them, each alone.
  f.finish_batch_at(1);
  f.finish_batch_at(1);
  CHECK(code_of(replies[1]) == error_code::none);
  CHECK(code_of(replies[3]) == error_code::none);
  REQUIRE(f.load_of_workers() == counts{0, 1});
  f.finish_batch();
  f.advance(100);
  while (!f.script->batches.empty())
    f.finish_batch();
  CHECK(code_of(replies[0]) == error_code::none);
  CHECK(code_of(replies[2]) == error_code::none);
}

TEST_CASE("only the request that was alone at the worker that died is blamed") {
  instances_fixture f;
  f.start_warm();
  auto killer = f.ask_for(infer_of("killer"));
  auto other = f.ask_for(infer_of("other"));
  f.die_at(0);
  CHECK(code_of(killer) == error_code::agent_lost);
  CHECK(result_of(killer).killed_agent);
  CHECK_FALSE(other->has_value());
  f.finish_batch_at(1);
  CHECK(code_of(other) == error_code::none);
  // It comes back after its back-off, when work waits.
  f.advance(100);
  auto next = f.ask_many(2);
  CHECK(f.script->starts.size() == 3);
  CHECK(f.load().workers_ready == 2);
}

TEST_CASE("a request that runs alone waits for an idle worker, and keeps it for itself") {
  instances_fixture f;
  f.start();
  auto replies = f.ask_many(2);
  auto content = infer_of("alone");
  content.deterministic = true;
  auto alone = f.ask_for(std::move(content));
  auto behind = f.ask_for(infer_of("behind"));
  CHECK(f.load_of_workers() == counts{1, 1});
  f.finish_batch_at(1);
  // Behind the other worker's batch there is room, behind the lone request is none.
  CHECK(f.load_of_workers() == counts{2, 1});
  CHECK(f.batch_at(1).deterministic);
  auto last = f.ask_for(infer_of("last"));
  CHECK(f.load_of_workers() == counts{2, 1});
  f.finish_batch_at(1);
  CHECK(code_of(alone) == error_code::none);
  CHECK(f.load_of_workers() == counts{2, 1});
  CHECK_FALSE(f.batch_at(1).deterministic);
}

TEST_CASE("a forward that takes too long ends its own worker only") {
  instances_fixture f;
  f.arguments.options.timeout_ms = 2'000;
  f.start_warm();
  auto slow = f.ask_for(infer_of("slow"));
  f.advance(1'500);
  auto fresh = f.ask_for(infer_of("fresh"));
  f.advance(1'000);
  REQUIRE(f.script->kills.size() == 1);
  CHECK(f.script->kills[0].token == f.script->tokens.at(0));
  CHECK(code_of(slow) == error_code::agent_timeout);
  CHECK_FALSE(fresh->has_value());
  f.finish_batch_at(1);
  CHECK(code_of(fresh) == error_code::none);
}

TEST_CASE("a worker that died too often rests while the other serves, and refuses nobody") {
  instances_fixture f;
  f.arguments.supervision.restarts_max = 0;
  f.start_warm();
  auto killer = f.ask_for(infer_of("killer"));
  f.die_at(0);
  CHECK(result_of(killer).killed_agent);
  auto served = f.ask_for(infer_of("served"));
  CHECK(f.script->starts.size() == 2);
  f.finish_batch_at(1);
  CHECK(code_of(served) == error_code::none);
  SUBCASE("until the other has died as well") {
    auto second = f.ask_for(infer_of("second killer"));
    auto waiting = f.ask_for(infer_of("waiting"));
    auto more = f.ask_for(infer_of("more"));
    f.die_at(1);
    for (auto& each : {second, waiting, more})
      CHECK(code_of(each) == error_code::agent_lost);
    CHECK(code_of(f.ask_for(infer_of("refused"))) == error_code::agent_lost);
  }
  SUBCASE("and is started again when its window is over") {
    f.advance(61'000);
    auto later = f.ask_for(infer_of("later"));
    CHECK(f.script->starts.size() == 3);
    CHECK(f.load().workers_ready == 2);
  }
}

TEST_CASE("whoever loads the model hears when every worker has loaded it") {
  instances_fixture f;
  f.script->answers_start = false;
  f.start();
  auto reply = f.request<agents_set>(f.agent, warm_agent{60'000});
  f.run();
  REQUIRE(f.script->starts.size() == 2);
  auto be_ready = [&](std::size_t start) {
    auto inference = tests::fake_inference(f.sys(), f.script, start);
    f.send(f.script->listener, agent_ready{f.script->starts[start].token, 42, inference});
  };
  be_ready(1);
  CHECK_FALSE(reply->has_value());
  CHECK(f.load().workers_ready == 1);
  be_ready(0);
  REQUIRE(reply->has_value());
  CHECK((*reply)->has_value());
}

TEST_CASE("a model that one worker can not load ends the agent, whatever the others do") {
  instances_fixture f;
  f.start();
  auto first = f.ask_for(infer_of("1"));
  f.finish_batch();
  f.die_at(1);
  f.script->load_error = {error_code::memory_limit, "no memory is left", {}};
  f.advance(100);
  // The other worker serves on: the model has been here before.
  auto running = f.ask_for(infer_of("2"));
  REQUIRE(f.script->starts.size() == 3);
  REQUIRE(f.script->kills.size() == 1);
  CHECK(f.owner->count<agent_idle>() == 0);
  CHECK(f.load_of_workers() == counts{1, 0});
  f.finish_batch();
  CHECK(code_of(running) == error_code::none);

  instances_fixture g;
  g.script->load_error = {error_code::bad_model, "not TorchScript", {}};
  g.start();
  CHECK(code_of(g.ask_for(infer_of("1"))) == error_code::bad_model);
  CHECK(g.script->kills.size() == 2);
  CHECK(g.owner->count<agent_idle>() == 1);
  g.send(g.agent, stop_agent{});
  CHECK_FALSE(g.is_alive(g.agent));
}

TEST_CASE("an agent that is stopped ends when both workers have answered what they had") {
  instances_fixture f;
  f.start();
  auto replies = f.ask_many(3);
  f.send(f.agent, stop_agent{});
  f.finish_batch_at(1);
  CHECK(f.is_alive(f.agent));
  CHECK(f.script->kills.empty());
  f.finish_batch_at(0);
  f.finish_batch_at(0);
  for (auto& reply : replies)
    CHECK(code_of(reply) == error_code::none);
  CHECK(f.script->kills.size() == 2);
  CHECK_FALSE(f.is_alive(f.agent));
}

TEST_CASE("an agent without work ends both workers when it is told to, and says once that it is") {
  instances_fixture f;
  f.arguments.options.idle_ms = 10'000;
  f.start();
  auto replies = f.ask_many(2);
  f.finish_batch_at(0);
  f.advance(20'000);
  CHECK(f.owner->count<agent_idle>() == 0);
  f.finish_batch_at(1);
  f.advance(60'000);
  CHECK(f.owner->count<agent_idle>() == 1);
  f.send(f.agent, stop_agent{});
  CHECK(f.script->kills.size() == 2);
  CHECK_FALSE(f.is_alive(f.agent));
}

TEST_CASE("every accepted request gets exactly one reply, whatever its three workers do") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    runtime::random_source random{seed};
    instances_fixture f{3, std::int64_t(1 + random.below(4))};
    f.arguments.options.timeout_ms = 5'000;
    f.arguments.supervision.restarts_max = std::uint32_t(random.below(2) * 1'000);
    f.start();
    std::vector<answer> replies;
    for (int step = 0; step < 300; ++step) {
      auto& batches = f.script->batches;
      auto pick = batches.empty() ? 0 : batches[random.below(batches.size())].place;
      switch (random.below(7)) {
        case 0:
        case 1:
        case 2: {
          auto content =
            infer_of(std::to_string(replies.size()), pairs(), 1 + random.below(20'000));
          content.deterministic = random.below(4) == 0;
          replies.push_back(f.ask_for(std::move(content)));
          break;
        }
        case 3:
          if (!batches.empty())
            f.finish_batch_at(pick);
          break;
        case 4:
          if (!f.script->starts.empty() && random.below(4) == 0)
            f.die_at(random.below(3));
          break;
        case 5:
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
    CHECK(f.load().queued == 0);
    CHECK(f.load().running == 0);
  }
}
