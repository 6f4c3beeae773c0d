#include <doctest/doctest.h>

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

TEST_CASE("the first request starts the worker, loads the model and gets its own rows") {
  agent_fixture f;
  f.start();
  CHECK(f.script->starts.empty());
  auto reply = f.ask_for(infer_of("1", pairs(2, 'q')));
  REQUIRE(f.script->starts.size() == 1);
  CHECK(f.script->starts[0].token.size() == 32);
  REQUIRE(f.script->loads.size() == 1);
  CHECK(f.script->loads[0].path == "/nowhere/model.pt");
  CHECK(f.script->loads[0].device == "cpu:0");
  CHECK_FALSE(reply->has_value());
  f.finish_batch();
  CHECK(code_of(reply) == error_code::none);
  CHECK(result_of(reply).outputs[0].data.view() == std::string(16, 'q'));
  CHECK(result_of(reply).forward_us == 7);
  auto load = f.ask<agent_load>(f.agent, get_agent_load{});
  REQUIRE(load);
  CHECK(load->batches == 1);
  CHECK(load->requests == 1);
  CHECK(load->pid == 42);
}

TEST_CASE("requests that come while the worker is busy share the next batch") {
  agent_fixture f;
  f.start();
  auto first = f.ask_for(infer_of("1"));
  std::vector<answer> others;
  for (int number = 2; number <= 6; ++number)
    others.push_back(f.ask_for(infer_of(std::to_string(number), pairs(1, char('a' + number)))));
  REQUIRE(f.script->batches.size() == 1);
  f.finish_batch();
  REQUIRE(f.script->batches.size() == 1);
  CHECK(f.script->batches[0].content.requests.size() == 5);
  f.finish_batch();
  for (std::size_t place = 0; place < others.size(); ++place)
    CHECK(result_of(others[place]).outputs[0].data.view() ==
          std::string(8, char('a' + place + 2)));
  CHECK(code_of(first) == error_code::none);
}

TEST_CASE("only requests with the same optional inputs share a batch") {
  agent_fixture f;
  f.arguments.spec.inputs.push_back({"bias", models::datatype::fp32, {2}, {}, true});
  f.start();
  auto with_bias = pairs();
  with_bias.push_back(with_bias.front());
  with_bias.back().name = "bias";
  f.ask_for(infer_of("busy"));
  f.ask_for(infer_of("1"));
  f.ask_for(infer_of("2", with_bias));
  f.ask_for(infer_of("3"));
  f.ask_for(infer_of("4", with_bias));
  for (std::size_t inputs : {1u, 2u}) {
    f.finish_batch();
    REQUIRE(f.script->batches.size() == 1);
    auto& together = f.script->batches[0].content.requests;
    REQUIRE(together.size() == 2);
    CHECK(together[0].size() == inputs);
    CHECK(together[1].size() == inputs);
  }
}

TEST_CASE("requests that come together leave together, also to a worker that is idle") {
  agent_fixture f;
  f.start();
  f.ask_for(infer_of("first"));
  f.finish_batch();
  for (int number = 0; number < 5; ++number)
    f.request<infer_result>(f.agent, infer_of(std::to_string(number)));
  f.run();
  REQUIRE(f.script->batches.size() == 1);
  CHECK(f.script->batches[0].content.requests.size() == 5);
}

TEST_CASE("a full batch is given to a busy worker, so that it never waits, but no third one") {
  agent_fixture f;
  f.start();
  for (int number = 0; number < 40; ++number)
    f.ask_for(infer_of(std::to_string(number)));
  REQUIRE(f.script->batches.size() == 2);
  CHECK(f.script->batches[0].content.requests.size() == 1);
  CHECK(f.script->batches[1].content.requests.size() == 8);
}

TEST_CASE("whoever asked hears when the forward begins, not when the batch is sent ahead") {
  agent_fixture f;
  f.arguments.spec.max_batch_size = 1;
  f.start();
  auto box = std::make_shared<tests::inbox>();
  auto asker = f.probe(box);
  f.send_from(asker, f.agent, infer_of("1"));
  f.send_from(asker, f.agent, infer_of("2"));
  REQUIRE(f.script->batches.size() == 2);
  REQUIRE(box->count<infer_started>() == 1);
  CHECK(box->all<infer_started>()[0].request_id == "1");
  f.finish_batch();
  REQUIRE(box->count<infer_started>() == 2);
  CHECK(box->all<infer_started>()[1].request_id == "2");
}

TEST_CASE("what can not run is refused at once, with the reason") {
  agent_fixture f;
  f.arguments.options.queue_max = 2;
  f.start();
  SUBCASE("inputs that do not fit") {
    auto reply = f.ask_for(infer_of("1", pairs(9)));
    CHECK(code_of(reply) == error_code::bad_input);
    CHECK_FALSE(result_of(reply).error.details.empty());
  }
  SUBCASE("no time left") {
    CHECK(code_of(f.ask_for(infer_of("1", pairs(), 0))) == error_code::expired);
  }
  SUBCASE("a full queue") {
    f.script->answers_start = false;
    auto first = f.ask_for(infer_of("1"));
    auto second = f.ask_for(infer_of("2"));
    CHECK(code_of(f.ask_for(infer_of("3"))) == error_code::overloaded);
    CHECK_FALSE(first->has_value());
    CHECK_FALSE(second->has_value());
  }
  CHECK(f.script->batches.empty());
}

TEST_CASE("a request whose time runs out while it waits is expired, one that runs is a timeout") {
  agent_fixture f;
  f.start();
  auto running = f.ask_for(infer_of("1", pairs(), 1'000));
  auto waiting = f.ask_for(infer_of("2", pairs(), 1'000));
  f.advance(1'500);
  CHECK(code_of(waiting) == error_code::expired);
  CHECK_FALSE(running->has_value());
  f.finish_batch();
  CHECK(code_of(running) == error_code::timeout);
}

TEST_CASE("deterministic requests run alone, with the switch on") {
  agent_fixture f;
  f.start();
  std::vector<answer> replies;
  for (int number = 0; number < 3; ++number) {
    auto content = infer_of(std::to_string(number));
    content.deterministic = number > 0;
    replies.push_back(f.ask_for(std::move(content)));
  }
  f.finish_batch();
  for (int round = 0; round < 2; ++round) {
    REQUIRE(f.script->batches.size() == 1);
    CHECK(f.script->batches[0].content.requests.size() == 1);
    CHECK(f.script->batches[0].content.deterministic);
    f.finish_batch();
  }
  for (auto& reply : replies)
    CHECK(code_of(reply) == error_code::none);
}

TEST_CASE("a batch waits for its delay, from the first request on") {
  agent_fixture f;
  f.arguments.spec.batch_delay_max_us = 5'000;
  f.start();
  f.ask_for(infer_of("0"));
  f.advance(10);
  f.finish_batch();
  f.ask_for(infer_of("1"));
  f.advance(3);
  f.ask_for(infer_of("2"));
  f.advance(1);
  CHECK(f.script->batches.empty());
  f.advance(1);
  REQUIRE(f.script->batches.size() == 1);
  CHECK(f.script->batches[0].content.requests.size() == 2);
}

TEST_CASE("a withdrawn request that waits is answered at once, one that runs when it is over") {
  agent_fixture f;
  f.start();
  auto running = f.ask_for(infer_of("1"));
  auto waiting = f.ask_for(infer_of("2"));
  f.send(f.agent, withdraw_infer{"2"});
  CHECK(code_of(waiting) == error_code::cancelled);
  f.send(f.agent, withdraw_infer{"1"});
  f.send(f.agent, withdraw_infer{"unknown"});
  f.advance(1'000);
  CHECK_FALSE(running->has_value());
  f.finish_batch();
  CHECK(code_of(running) == error_code::cancelled);
  CHECK(f.script->kills.empty());
}

TEST_CASE("a withdrawn forward that runs alone is killed past the grace, without blame") {
  agent_fixture f;
  f.start();
  auto running = f.ask_for(infer_of("1"));
  f.send(f.agent, withdraw_infer{"1"});
  f.advance(1'900);
  CHECK(f.script->kills.empty());
  f.advance(500);
  REQUIRE(f.script->kills.size() == 1);
  CHECK(f.script->kills[0].cause.code == error_code::cancelled);
  CHECK(code_of(running) == error_code::cancelled);
  CHECK_FALSE(result_of(running).killed_agent);
  f.script->batches.clear();
  auto next = f.ask_for(infer_of("2"));
  CHECK(f.script->starts.size() == 2);
  f.finish_batch();
  CHECK(code_of(next) == error_code::none);
}

TEST_CASE("a withdrawn request in a batch with others kills nobody") {
  agent_fixture f;
  f.start();
  auto first = f.ask_for(infer_of("0"));
  auto withdrawn = f.ask_for(infer_of("1"));
  auto other = f.ask_for(infer_of("2"));
  f.finish_batch();
  f.send(f.agent, withdraw_infer{"1"});
  f.advance(60'000);
  CHECK(f.script->kills.empty());
  f.finish_batch();
  CHECK(code_of(withdrawn) == error_code::cancelled);
  CHECK(code_of(other) == error_code::none);
}

TEST_CASE("a withdrawn request of the caller's own id leaves a later one alone") {
  agent_fixture f;
  f.start();
  auto first = f.ask_for(infer_of("1"));
  f.finish_batch();
  auto second = f.ask_for(infer_of("1"));
  f.send(f.agent, withdraw_infer{"1"});
  f.finish_batch();
  CHECK(code_of(first) == error_code::none);
  CHECK(code_of(second) == error_code::cancelled);
}

TEST_CASE("where rules say who waits how, a request goes to a busy worker only if it soon runs") {
  agent_fixture f;
  f.arguments.spec.max_batch_size = 1;
  auto ahead = [&f] {
    f.ask_for(infer_of("1"));
    f.ask_for(infer_of("2"));
    return f.script->batches.size() == 2;
  };
  SUBCASE("nothing is known yet") {
    f.arguments.spec.batching.default_queue.queue_max = 1;
    f.start();
    CHECK_FALSE(ahead());
  }
  SUBCASE("forwards are long") {
    f.arguments.spec.batching.default_queue.allow_timeout_override = true;
    f.script->forward_us = 30'000;
    f.start();
    f.ask_for(infer_of("0"));
    f.finish_batch();
    CHECK_FALSE(ahead());
  }
  SUBCASE("there are no rules") {
    f.start();
    CHECK(ahead());
  }
  SUBCASE("forwards are short") {
    f.arguments.spec.batching.priority_levels = 2;
    f.start();
    f.ask_for(infer_of("0"));
    f.finish_batch();
    CHECK(ahead());
  }
}

TEST_CASE("the start of a worker is no wait in the queue") {
  agent_fixture f;
  f.arguments.spec.max_batch_size = 1;
  f.arguments.spec.batching.default_queue.default_timeout_us = 100'000;
  f.script->answers_start = false;
  f.start();
  auto first = f.ask_for(infer_of("1"));
  auto second = f.ask_for(infer_of("2"));
  f.advance(2'000);
  CHECK_FALSE(first->has_value());
  f.send(f.script->listener, agent_ready{f.script->tokens.at(0), 42,
                                         tests::fake_inference(f.sys(), f.script, 0)});
  CHECK(f.script->batches.size() == 1);
  f.advance(50);
  CHECK_FALSE(second->has_value());
  f.advance(400);
  CHECK(code_of(second) == error_code::expired);
}
