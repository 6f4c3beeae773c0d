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
