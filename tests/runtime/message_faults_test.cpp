#include <atomic>
#include <thread>

#include <doctest/doctest.h>

#include "tests/runtime/runtime_types.hpp"

using namespace dim;
using namespace dim::tests;

namespace {

/// Applies `fault` to every `add_number`.
runtime::fault_hook on_numbers(runtime::message_fault fault) {
  return [fault](const char*, const caf::mailbox_element& element) {
    return element.content().match_elements<add_number>() ? fault : runtime::message_fault::none;
  };
}

std::int64_t sum_of(sum_fixture& f, const sum_actor& target) {
  return f.ask<sum_result>(target, get_sum{})->value;
}

}  // namespace

TEST_CASE("a dropped message never arrives, and is not counted as waiting") {
  sum_fixture f;
  auto target = f.sys().spawn(sum);
  f.context().faults = on_numbers(runtime::message_fault::drop);
  f.send(target, add_number{5});
  CHECK(sum_of(f, target) == 0);
  CHECK(f.context().actors.lines()[0].mailbox == 0);
}

TEST_CASE("a duplicated message arrives twice") {
  sum_fixture f;
  auto target = f.sys().spawn(sum);
  f.context().faults = on_numbers(runtime::message_fault::duplicate);
  f.send(target, add_number{5});
  CHECK(sum_of(f, target) == 10);
  CHECK(f.context().actors.lines()[0].mailbox == 0);
}

TEST_CASE("a delayed message arrives once, after the delay, and its reply finds the asker") {
  sum_fixture f;
  auto target = f.sys().spawn(sum);
  f.context().fault_delay_ms = 150;
  f.context().faults = [](const char*, const caf::mailbox_element& element) {
    return element.content().match_elements<get_sum>() ? runtime::message_fault::delay
                                                       : runtime::message_fault::none;
  };
  f.send(target, add_number{5});
  auto reply = f.request<sum_result>(target, get_sum{});
  f.advance(149);
  CHECK_FALSE(reply->has_value());
  f.context().faults = nullptr;
  f.advance(1);
  REQUIRE(reply->has_value());
  CHECK((**reply)->value == 5);
}

TEST_CASE("a corrupted message arrives with other content") {
  sum_fixture f;
  auto target = f.sys().spawn(sum);
  f.context().faults = on_numbers(runtime::message_fault::corrupt);
  f.send(target, add_number{5});
  auto value = sum_of(f, target);
  CHECK(value != 0);
  CHECK(value != 5);
}

TEST_CASE("a hook may say for how long it delays a message") {
  sum_fixture f;
  auto target = f.sys().spawn(sum);
  f.context().faults = [](const char*, const caf::mailbox_element& element) {
    return element.content().match_elements<add_number>()
             ? runtime::fault_decision{runtime::message_fault::delay, 30}
             : runtime::message_fault::none;
  };
  f.send(target, add_number{5});
  f.advance(29);
  CHECK(sum_of(f, target) == 0);
  f.advance(1);
  CHECK(sum_of(f, target) == 5);
}

TEST_CASE("a corrupted payload differs in one bit, and all else in its message is as it was") {
  sum_fixture f;
  auto box = std::make_shared<inbox>();
  auto probe = f.probe(box);
  f.context().faults = [](const char*, const caf::mailbox_element&) {
    return runtime::message_fault::corrupt_payload;
  };
  const std::string text(100, 'a');
  f.send(probe, carry_payload{text, runtime::bytes::copy_of("payload of sixteen"), 7});
  f.send(probe, carry_payload{text, runtime::bytes::copy_of("short"), 8});
  auto arrived = box->all<carry_payload>();
  REQUIRE(arrived.size() == 2);
  CHECK(arrived[0].text == text);
  CHECK(arrived[0].number == 7);
  CHECK(arrived[0].payload.size() == 18);
  int different = 0;
  for (std::size_t i = 0; i < 18; ++i)
    different += arrived[0].payload.data()[i] != "payload of sixteen"[i] ? 1 : 0;
  CHECK(different == 1);
  CHECK(arrived[1].payload.view() == "short");
}

TEST_CASE("a hook is put in and taken out while messages are sent") {
  runtime::fault_switch faults;
  std::atomic<bool> is_over{false};
  std::atomic<std::uint64_t> dropped{0};
  auto element = caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, add_number{1});
  std::thread sender{[&] {
    while (!is_over)
      dropped += faults("SUM", *element).fault == runtime::message_fault::drop ? 1 : 0;
  }};
  for (int round = 0; round < 1'000 || dropped == 0; ++round) {
    faults = [](const char*, const caf::mailbox_element&) { return runtime::message_fault::drop; };
    CHECK(static_cast<bool>(faults));
    faults = nullptr;
    CHECK_FALSE(static_cast<bool>(faults));
  }
  is_over = true;
  sender.join();
  CHECK(faults("SUM", *element).fault == runtime::message_fault::none);
}

TEST_CASE("faults name the receiver and spare the others") {
  sum_fixture f;
  auto target = f.sys().spawn(sum);
  auto box = std::make_shared<inbox>();
  auto probe = f.probe(box);
  f.context().faults = [](const char* receiver, const caf::mailbox_element&) {
    return std::string_view{receiver} == "FAKE" ? runtime::message_fault::drop
                                                : runtime::message_fault::none;
  };
  f.send(probe, add_number{1});
  f.send(target, add_number{1});
  CHECK(box->size() == 0);
  CHECK(sum_of(f, target) == 1);
}
