#include "actors/store/event_log.hpp"

#include <doctest/doctest.h>

#include "tests/actors/store_support.hpp"

using namespace dim;
using namespace dim::actors;
using namespace dim::tests;

namespace {

struct event_fixture : store_fixture {
  explicit event_fixture(std::uint32_t tail_max) : tail_max(tail_max) {
    restart_log();
    start();
  }

  void restart_log() {
    log = sys().spawn(actors::event_log, event_log_arguments{database, tail_max});
    events.set(log);
    run();
  }

  void append(int count) {
    for (; count > 0; --count) {
      commit_changes changes;
      changes.events = {make_event("kind")};
      REQUIRE(commit(changes));
    }
  }

  std::vector<std::uint64_t> read(std::uint64_t after, std::uint32_t max = 1000) {
    std::vector<std::uint64_t> numbers;
    const auto list = ask<event_list>(log, read_events{after, max});
    REQUIRE(list);
    for (const auto& fact : list->events)
      numbers.push_back(fact.number);
    return numbers;
  }

  std::uint32_t tail_max;
  events_actor log;
};

using numbers = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("events are read after a number, from memory and from disk alike") {
  event_fixture f{4};
  CHECK(f.read(0).empty());
  f.append(10);
  CHECK(f.read(0) == numbers{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  CHECK(f.read(0, 3) == numbers{1, 2, 3});
  CHECK(f.read(5) == numbers{6, 7, 8, 9, 10});
  CHECK(f.read(6) == numbers{7, 8, 9, 10});
  CHECK(f.read(7, 2) == numbers{8, 9});
  CHECK(f.read(10).empty());
  CHECK(f.read(~std::uint64_t{0}).empty());
  CHECK(f.read(3, 0).empty());
}

TEST_CASE("a restarted log loads its tail, and goes on without a gap") {
  event_fixture f{4};
  f.append(6);
  f.kill(f.log);
  f.append(3);
  f.restart_log();
  CHECK(f.read(7) == numbers{8, 9});
  f.append(2);
  CHECK(f.read(8) == numbers{9, 10, 11});
  CHECK(f.read(0).size() == 11);
}

TEST_CASE("news that came twice or too early leave the tail in order") {
  event_fixture f{100};
  f.append(3);
  events_committed twice;
  twice.events = {f.make_event("again")};
  twice.events[0].number = 2;
  f.send(f.log, twice);
  CHECK(f.read(0) == numbers{1, 2, 3});
  // STORE committed 4 and 5, of which only 5 arrives.
  f.events.clear();
  f.append(2);
  events_committed late;
  late.events = {f.make_event("kind")};
  late.events[0].number = 5;
  f.send(f.log, late);
  CHECK(f.read(0) == numbers{1, 2, 3, 4, 5});
}
