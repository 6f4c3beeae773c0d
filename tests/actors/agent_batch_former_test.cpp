#include <doctest/doctest.h>

#include <map>

#include "actors/agent/batch_former.hpp"
#include "runtime/random_source.hpp"

using dim::actors::batch_former;
using dim::actors::batch_item;
using dim::actors::worker_room;
using keys = std::vector<std::uint64_t>;

namespace {

batch_item item(std::uint64_t key, std::int64_t rows = 1, std::int64_t arrived_us = 0) {
  return {key, rows, false, {}, arrived_us};
}

batch_item lone_item(std::uint64_t key) {
  return {key, 1, true, {}, 0};
}

}  // namespace

TEST_CASE("without a delay an idle worker gets whatever waits, up to the rows of one batch") {
  batch_former former{4, 0};
  for (std::uint64_t key = 1; key <= 6; ++key)
    former.push(item(key));
  CHECK(former.take(0, worker_room::any).keys == keys{1, 2, 3, 4});
  CHECK(former.take(0, worker_room::any).keys == keys{5, 6});
  CHECK(former.take(0, worker_room::any).keys.empty());
}

TEST_CASE("rows are counted, not requests, and a batch never has too many") {
  batch_former former{8, 0};
  former.push(item(1, 5));
  former.push(item(2, 4));
  former.push(item(3, 3));
  CHECK(former.take(0, worker_room::any).keys == keys{1, 3});
  CHECK(former.take(0, worker_room::any).keys == keys{2});
}

TEST_CASE("a request larger than a batch still runs, by itself") {
  batch_former former{8, 1'000'000};
  former.push(item(1, 9));
  former.push(item(2));
  CHECK(former.take(0, worker_room::any).keys == keys{1});
}

TEST_CASE("a model that does not batch runs one request at a time, without any delay") {
  batch_former former{0, 1'000'000};
  former.push(item(1));
  former.push(item(2));
  CHECK(former.take(0, worker_room::any).keys == keys{1});
  CHECK(former.take(0, worker_room::full_batch).keys == keys{2});
}

TEST_CASE("an open batch waits for others until its delay is over or it is full") {
  batch_former former{3, 500};
  former.push(item(1, 1, 1'000));
  CHECK(former.take(1'499, worker_room::any).keys.empty());
  CHECK(former.due_us() == 1'500);
  former.push(item(2, 1, 1'400));
  CHECK(former.take(1'499, worker_room::any).keys.empty());
  CHECK(former.due_us() == 1'500);
  CHECK(former.take(1'500, worker_room::any).keys == keys{1, 2});
  CHECK_FALSE(former.due_us());
  for (std::uint64_t key = 3; key <= 5; ++key)
    former.push(item(key, 1, 2'000));
  CHECK(former.take(2'000, worker_room::any).keys == keys{3, 4, 5});
}

TEST_CASE("a busy worker gets a second batch only when waiting can not make it larger") {
  batch_former former{2, 0};
  former.push(item(1));
  CHECK(former.take(0, worker_room::full_batch).keys.empty());
  former.push(item(2));
  CHECK(former.take(0, worker_room::none).keys.empty());
  CHECK(former.take(0, worker_room::full_batch).keys == keys{1, 2});
}

TEST_CASE("a request that runs alone shares no batch, and waits until the worker is idle") {
  batch_former former{8, 0};
  former.push(item(1));
  former.push(lone_item(2));
  former.push(item(3));
  CHECK(former.take(0, worker_room::any).keys == keys{1, 3});
  CHECK(former.take(0, worker_room::full_batch).keys.empty());
  CHECK(former.take(0, worker_room::any).keys == keys{2});
}

TEST_CASE("only requests of equal form are joined, and none starves behind the others") {
  batch_former former{4, 0};
  former.push({1, 1, false, "short", 0});
  former.push({2, 1, false, "long", 0});
  former.push({3, 1, false, "short", 0});
  CHECK(former.take(0, worker_room::any).keys == keys{1, 3});
  former.push({4, 1, false, "short", 0});
  CHECK(former.take(0, worker_room::any).keys == keys{2});
}

TEST_CASE("what is put in front comes first, and what is withdrawn never comes") {
  batch_former former{2, 0};
  former.push(item(1));
  former.push(item(2));
  former.push_front(lone_item(3));
  CHECK(former.erase(1));
  CHECK_FALSE(former.erase(1));
  CHECK(former.take(0, worker_room::any).keys == keys{3});
  CHECK(former.take(0, worker_room::any).keys == keys{2});
}

TEST_CASE("every request leaves once, in batches that keep all rules, whatever the mix") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    dim::runtime::random_source random{seed};
    auto rows_max = static_cast<std::int64_t>(random.below(9));
    batch_former former{rows_max, static_cast<std::uint32_t>(random.below(200))};
    std::map<std::uint64_t, batch_item> waiting;
    std::uint64_t oldest = 1;
    std::uint64_t next = 1;
    for (std::int64_t now = 0; now < 3'000; ++now) {
      if (now < 2'500 && random.below(3) == 0) {
        batch_item one{next, 1 + std::int64_t(random.below(4)), random.below(8) == 0,
                       random.below(2) == 0 ? "a" : "b", now};
        waiting[next++] = one;
        former.push(one);
      }
      auto room = static_cast<worker_room>(random.below(3));
      auto batch = former.take(now, room).keys;
      if (batch.empty())
        continue;
      REQUIRE(room != worker_room::none);
      while (oldest < next && !waiting.contains(oldest))
        ++oldest;
      CHECK(batch.front() == oldest);
      std::int64_t rows = 0;
      for (auto key : batch) {
        REQUIRE(waiting.contains(key));
        auto& each = waiting[key];
        rows += each.rows;
        CHECK(each.form == waiting[batch.front()].form);
        CHECK((!each.alone || batch.size() == 1));
        CHECK((!each.alone || room == worker_room::any));
      }
      CHECK((rows <= rows_max || batch.size() == 1));
      for (auto key : batch)
        waiting.erase(key);
    }
    CHECK(waiting.size() == former.size());
    while (!former.empty())
      CHECK_FALSE(former.take(1'000'000, worker_room::any).keys.empty());
  }
}
