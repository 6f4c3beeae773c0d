#include "runtime/deadline_alarm.hpp"

#include <doctest/doctest.h>

using dim::runtime::deadline_alarm;

namespace {

constexpr std::int64_t ms = 1'000'000;

}  // namespace

TEST_CASE("an alarm is set for the earliest deadline, and for later ones not again") {
  deadline_alarm alarm{20 * ms};
  CHECK(alarm.set(1'000 * ms, 0) == 1'000 * ms);
  CHECK_FALSE(alarm.set(1'000 * ms, 0));
  CHECK_FALSE(alarm.set(3'000 * ms, 0));
  CHECK(alarm.set(500 * ms, 0) == 500 * ms);
  CHECK_FALSE(alarm.set(700 * ms, 0));
}

TEST_CASE("deadlines that are close to each other share an alarm, which is never early") {
  deadline_alarm alarm{20 * ms};
  CHECK(alarm.set(101 * ms, 0) == 120 * ms);
  CHECK_FALSE(alarm.set(100 * ms + 1, 0));
  CHECK_FALSE(alarm.set(119 * ms, 0));
  CHECK(alarm.set(100 * ms, 0) == 100 * ms);
}

TEST_CASE("after an alarm the next one is set, unless an earlier one runs already") {
  deadline_alarm alarm{20 * ms};
  CHECK(alarm.set(400 * ms, 0) == 400 * ms);
  CHECK(alarm.set(200 * ms, 0) == 200 * ms);
  alarm.fire(200 * ms);
  CHECK_FALSE(alarm.set(600 * ms, 200 * ms));
  alarm.fire(400 * ms);
  CHECK(alarm.set(600 * ms, 400 * ms) == 600 * ms);
}

TEST_CASE("distant deadlines are looked at in steps, those that have passed at once") {
  deadline_alarm alarm{20 * ms};
  CHECK(alarm.set(3'600'000 * ms, 0) == deadline_alarm::look_max_ns);
  alarm.fire(deadline_alarm::look_max_ns);
  CHECK(alarm.set(10 * ms, 40 * ms) == 40 * ms);
}
