#include "actors/agent/worker_life.hpp"

#include <doctest/doctest.h>

using namespace dim::actors;
using dim::runtime::random_source;

namespace {

constexpr worker_limits limits{5'000, {2, 60'000, 100, 1'000}};

worker_life ready_life() {
  worker_life life{limits};
  life.begin("a", 0);
  life.note_ready("a", 7);
  life.note_loaded();
  return life;
}

}  // namespace

TEST_CASE("a worker starts, loads and serves, under the token of its start") {
  worker_life life{limits};
  CHECK(life.phase() == worker_phase::absent);
  CHECK_FALSE(life.until_ms());
  life.begin("a", 1'000);
  CHECK(life.phase() == worker_phase::starting);
  CHECK(life.until_ms() == 6'000);
  CHECK_FALSE(life.note_ready("b", 1));
  CHECK(life.note_ready("a", 7));
  CHECK_FALSE(life.note_ready("a", 8));
  CHECK(life.phase() == worker_phase::loading);
  // Starting and loading have one deadline together.
  CHECK(life.until_ms() == 6'000);
  CHECK_FALSE(life.has_loaded());
  life.note_loaded();
  CHECK(life.phase() == worker_phase::ready);
  CHECK(life.pid() == 7);
  CHECK(life.has_loaded());
  CHECK_FALSE(life.until_ms());
}

TEST_CASE("only a worker that is there can be ended, and only once") {
  worker_life life{limits};
  CHECK_FALSE(life.end(0));
  life = ready_life();
  CHECK(life.end(1'000));
  CHECK_FALSE(life.end(1'000));
  CHECK(life.phase() == worker_phase::ending);
  CHECK(life.until_ms() == 6'000);
  CHECK_FALSE(life.note_ended("b"));
  CHECK(life.note_ended("a"));
  CHECK_FALSE(life.note_ended("a"));
  CHECK(life.phase() == worker_phase::absent);
  CHECK(life.pid() == 0);
}

TEST_CASE("pauses between deaths double, a success begins anew, and too many deaths refuse") {
  auto life = ready_life();
  random_source random{1};
  auto pause = [&](std::int64_t now) {
    REQUIRE(life.rest(now, random));
    CHECK(life.phase() == worker_phase::resting);
    auto result = *life.until_ms() - now;
    life.wake();
    return result;
  };
  auto within = [](std::int64_t value, std::int64_t low, std::int64_t high) {
    return value >= low && value <= high;
  };
  CHECK(within(pause(0), 50, 100));
  CHECK(within(pause(1'000), 100, 200));
  CHECK_FALSE(life.rest(2'000, random));
  CHECK(life.is_refusing());
  CHECK(life.until_ms() == 62'000);
  life.wake();
  CHECK_FALSE(life.is_refusing());
  CHECK(life.phase() == worker_phase::absent);
  // The window is a new one, too.
  life.note_success();
  CHECK(within(pause(2'000), 50, 100));
  CHECK(within(pause(2'000), 100, 200));
}
