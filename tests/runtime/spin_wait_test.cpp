#include <doctest/doctest.h>

#include <algorithm>
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

  static void yield() {
    present += turn;
  }

  static inline time_point present{1h};
  /// What others take of a core that is given away.
  static inline duration turn{0};
};

/// Others take so long of a core that is given away, while this lives.
struct others_turn {
  explicit others_turn(hand_clock::duration each) {
    hand_clock::turn = each;
  }
  ~others_turn() {
    hand_clock::turn = {};
  }
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

TEST_CASE("a thread looks for a short while only while many requests are under way, and in gaps") {
  known_traffic traffic;
  waiting thread{100us, traffic};
  traffic.note(known_traffic::few);
  CHECK(looks_in_vain(thread, 10us) == 10);
  traffic.note(known_traffic::few + 1);
  CHECK(looks_in_vain(thread, 10us) == waiting::busy_limit / 10us);
  CHECK(looks_in_vain(waiting{20us, traffic}, 10us) == 2);
  traffic.note(known_traffic::few + 1);
  hand_clock::present += known_traffic::calm;
  traffic.note(1);
  CHECK_FALSE(traffic.is_calm());
  CHECK(looks_in_vain(thread, 10us) == waiting::busy_limit / 10us);
  hand_clock::present += 1us;
  traffic.note(1);
  CHECK(traffic.is_calm());
  CHECK(looks_in_vain(thread, 10us) == 10);
}

TEST_CASE("a thread sleeps at once where there has been no request for a while") {
  known_traffic traffic;
  CHECK_FALSE(traffic.is_there());
  traffic.note(1);
  hand_clock::present += known_traffic::recent;
  CHECK(traffic.is_there());
  hand_clock::present += 1ns;
  CHECK_FALSE(traffic.is_there());
  CHECK(looks_in_vain(waiting{100us, traffic}, 10us) == 0);
}

TEST_CASE("where somebody computes, threads sleep at once for a while") {
  known_traffic traffic;
  traffic.note(1);
  waiting thread{10ms, traffic};
  {
    others_turn computing{known_traffic::long_turn};
    // The last look is at what has come meanwhile.
    CHECK(looks_in_vain(thread, 10us) == 2);
  }
  CHECK(traffic.is_core_wanted());
  CHECK_FALSE(traffic.give_core_away());
  hand_clock::present += known_traffic::shortest_pause - 10us - 1ns;
  traffic.note(1);
  CHECK(looks_in_vain(thread, 10us) == 0);
  hand_clock::present += 1ns;
  traffic.note(1);
  CHECK_FALSE(traffic.is_core_wanted());
  CHECK(looks_in_vain(waiting{100us, traffic}, 10us) == 10);
}

TEST_CASE("who computes again and again is left alone for longer and longer") {
  known_traffic traffic;
  others_turn computing{known_traffic::long_turn};
  hand_clock::duration pause = known_traffic::shortest_pause;
  for (int again = 0; again < 7; ++again) {
    CHECK(traffic.give_core_away());
    hand_clock::present += pause - 1ns;
    CHECK(traffic.is_core_wanted());
    hand_clock::present += 1ns;
    CHECK_FALSE(traffic.is_core_wanted());
    pause = std::min<hand_clock::duration>(2 * pause, known_traffic::longest_pause);
  }
}

TEST_CASE("a core that is taken once in a while is soon given away again") {
  known_traffic traffic;
  others_turn halted{known_traffic::long_turn};
  for (int once = 0; once < 3; ++once) {
    CHECK(traffic.give_core_away());
    hand_clock::present += known_traffic::shortest_pause;
    CHECK_FALSE(traffic.is_core_wanted());
    hand_clock::present += 2 * known_traffic::shortest_pause - known_traffic::long_turn + 1ns;
  }
}

TEST_CASE("those who take a core for a moment do not stop others from looking") {
  known_traffic traffic;
  traffic.note(1);
  others_turn serving{known_traffic::long_turn - 1ns};
  CHECK(looks_in_vain(waiting{10ms, traffic}, 10us) > 1);
  CHECK_FALSE(traffic.is_core_wanted());
}
