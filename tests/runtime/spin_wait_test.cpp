#include <doctest/doctest.h>

#include <chrono>

#include "runtime/spin_wait.hpp"

using namespace std::chrono_literals;

namespace {

/// Stands still but for what a test adds.
struct hand_clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<hand_clock>;
  static constexpr bool is_steady = true;

  static time_point now() {
    return present;
  }

  static inline time_point present{1h};
};

using known_traffic = dim::runtime::basic_traffic<hand_clock>;
using waiting = dim::runtime::basic_spin_wait<hand_clock>;

/// Looks that take `each` and find nothing; how many there were.
int looks_in_vain(const waiting& thread, std::chrono::microseconds each) {
  int looks = 0;
  CHECK_FALSE(thread.look([&] {
    ++looks;
    hand_clock::present += each;
    return false;
  }));
  return looks;
}

}  // namespace

TEST_CASE("a thread looks for work until the limit, then it sleeps") {
  known_traffic traffic;
  traffic.note(1);
  CHECK(looks_in_vain(waiting{100us, traffic}, 10us) == 10);
}

TEST_CASE("a thread that finds work does not sleep") {
  known_traffic traffic;
  traffic.note(1);
  int looks = 0;
  CHECK(waiting{100us, traffic}.look([&] { return ++looks == 3; }));
  CHECK(looks == 3);
}

TEST_CASE("a thread that had to give its core away for the whole time sleeps") {
  known_traffic traffic;
  traffic.note(1);
  CHECK(looks_in_vain(waiting{100us, traffic}, 150us) == 1);
}

TEST_CASE("without a limit a thread sleeps at once") {
  known_traffic traffic;
  traffic.note(1);
  CHECK(looks_in_vain(waiting{0us, traffic}, 10us) == 0);
}

TEST_CASE("a thread sleeps at once while many requests are under way, and in the gaps between") {
  known_traffic traffic;
  traffic.note(known_traffic::few);
  CHECK(traffic.is_light());
  traffic.note(known_traffic::few + 1);
  CHECK_FALSE(traffic.is_light());
  CHECK(looks_in_vain(waiting{100us, traffic}, 10us) == 0);
  hand_clock::present += known_traffic::calm;
  traffic.note(1);
  CHECK_FALSE(traffic.is_light());
  hand_clock::present += 1ns;
  CHECK(traffic.is_light());
}

TEST_CASE("a thread sleeps at once where there has been no request for a while") {
  known_traffic traffic;
  CHECK_FALSE(traffic.is_light());
  traffic.note(1);
  hand_clock::present += known_traffic::recent;
  CHECK(traffic.is_light());
  hand_clock::present += 1ns;
  CHECK_FALSE(traffic.is_light());
  CHECK(looks_in_vain(waiting{100us, traffic}, 10us) == 0);
}
