// Requests that come to DEVICE in one message.
#include "tests/actors/device_fixture.hpp"
#include "tests/actors/group_support.hpp"

using namespace dim;
using namespace dim::tests;
using actors::run_group_on_device;
using actors::withdraw_on_device;

TEST_CASE("requests of one message wait together for room, and lose the time of the wait") {
  device_fixture f;
  f.start();
  auto a = device_fixture::model("a", 900 * mib);
  auto b = device_fixture::model("b", 900 * mib);
  f.script->echoes = false;
  auto running = f.ask_for(a, infer_of("1"));
  auto group = group_of(4);
  group.requests[0].request.time_left_ms = 3'000;
  auto waiting = ask_for_group(f, f.device, run_group_on_device{b, group});
  f.send(f.device, withdraw_on_device{b.key(), "r2"});
  f.advance(4'000);
  CHECK(waiting->messages.empty());
  f.script->echoes = true;
  f.finish_batch();
  CHECK(code_of(running) == error_code::none);
  CHECK(waiting->has_reply);
  CHECK(waiting->count() == 4);
  CHECK(waiting->code_of(1) == error_code::expired);
  CHECK(waiting->code_of(2) == error_code::expired);
  CHECK(waiting->code_of(3) == error_code::none);
  CHECK(waiting->code_of(4) == error_code::none);
}

TEST_CASE("requests that nobody wants any more neither wait for room nor take it from others") {
  device_fixture f;
  f.arguments.options.queue_max = 3;
  f.start();
  f.script->echoes = false;
  auto running = f.ask_for(device_fixture::model("a", 900 * mib), infer_of("1"));
  auto b = device_fixture::model("b", 900 * mib);
  auto unwanted = ask_for_group(f, f.device, run_group_on_device{b, group_of(2)});
  f.send(f.device, withdraw_on_device{b.key(), "r1"});
  CHECK(unwanted->messages.empty());
  f.send(f.device, withdraw_on_device{b.key(), "r2"});
  CHECK(unwanted->has_reply);
  CHECK(unwanted->code_of(1) == error_code::cancelled);
  CHECK(unwanted->code_of(2) == error_code::cancelled);
  auto late = ask_for_group(f, f.device, run_group_on_device{b, group_of(3, 1'000)});
  CHECK(late->messages.empty());
  f.advance(2'000);
  f.script->echoes = true;
  f.finish_batch();
  CHECK(code_of(running) == error_code::none);
  CHECK(late->code_of(3) == error_code::expired);
  // No agent was started for them.
  CHECK(f.script->orders.size() == 1);
}

TEST_CASE("of requests that come together only as many wait for room as may") {
  device_fixture f;
  f.arguments.options.queue_max = 3;
  f.start();
  f.script->echoes = false;
  f.ask_for(device_fixture::model("a", 900 * mib), infer_of("1"));
  auto b = device_fixture::model("b", 900 * mib);
  auto told = ask_for_group(f, f.device, run_group_on_device{b, group_of(5)});
  CHECK_FALSE(told->has_reply);
  CHECK(told->count() == 2);
  CHECK(told->code_of(4) == error_code::overloaded);
  CHECK(told->code_of(5) == error_code::overloaded);
}

TEST_CASE("requests of one message count as many in the queue for room") {
  device_fixture f;
  f.arguments.options.queue_max = 3;
  f.start();
  f.script->echoes = false;
  f.ask_for(device_fixture::model("a", 900 * mib), infer_of("1"));
  auto b = device_fixture::model("b", 900 * mib);
  auto first = ask_for_group(f, f.device, run_group_on_device{b, group_of(3)});
  CHECK(first->messages.empty());
  auto second = ask_for_group(f, f.device, run_group_on_device{b, group_of(2)});
  CHECK(second->has_reply);
  CHECK(second->count() == 2);
  CHECK(second->code_of(2) == error_code::overloaded);
}
