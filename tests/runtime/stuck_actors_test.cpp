#include "runtime/stuck_actors.hpp"

#include <doctest/doctest.h>

using namespace dim;
using runtime::working_actor;

namespace {

constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t limit = 10 * second;

working_actor at_work(std::uint64_t id, std::int64_t since_ns, bool works_long = false) {
  return {id, "STORE", 0x4000, since_ns, 1, works_long};
}

using actors = std::vector<working_actor>;

}  // namespace

TEST_CASE("an actor is stuck when it has handled one message for the limit, and not before") {
  const auto store = at_work(1, 5 * second);
  CHECK(runtime::find_stuck({store}, limit, 15 * second - 1).empty());
  CHECK(runtime::find_stuck({store}, limit, 15 * second) == actors{store});
  CHECK(runtime::find_stuck({store}, limit, 1'000 * second) == actors{store});
}

TEST_CASE("only those that are over the limit are stuck, in the order in which they came") {
  const actors working{at_work(1, 0), at_work(2, 90 * second), at_work(3, 89 * second)};
  CHECK(runtime::find_stuck(working, limit, 99 * second) == actors{working[0], working[2]});
}

TEST_CASE("an actor whose messages take long by design is never stuck") {
  const auto backup = at_work(1, 0, true);
  CHECK(runtime::find_stuck({backup}, limit, 3'600 * second).empty());
}

TEST_CASE("without a limit nobody is stuck") {
  CHECK(runtime::find_stuck({at_work(1, 0)}, 0, 3'600 * second).empty());
}

TEST_CASE("a message that begins after the look has taken no time") {
  CHECK(runtime::find_stuck({at_work(1, 20 * second)}, limit, 19 * second).empty());
}

TEST_CASE("each actor that gets stuck is told of once, and once more when it is over") {
  runtime::stuck_history history;
  const auto one = at_work(1, 0);
  const auto two = at_work(2, 3 * second);
  CHECK(history.note({}).begun.empty());
  auto news = history.note({one});
  CHECK(news.begun == actors{one});
  CHECK(news.ended.empty());
  for (int look = 0; look < 100; ++look) {
    auto same = history.note({one});
    CHECK(same.begun.empty());
    CHECK(same.ended.empty());
  }
  news = history.note({one, two});
  CHECK(news.begun == actors{two});
  CHECK(news.ended.empty());
  news = history.note({two});
  CHECK(news.begun.empty());
  CHECK(news.ended == actors{one});
  CHECK(history.note({}).ended == actors{two});
  CHECK(history.note({}).ended.empty());
}

TEST_CASE("an actor that gets stuck in another message between two looks has ended and begun") {
  runtime::stuck_history history;
  const auto before = at_work(1, 0);
  const auto after = at_work(1, 30 * second);
  history.note({before});
  const auto news = history.note({after});
  CHECK(news.begun == actors{after});
  CHECK(news.ended == actors{before});
}
