#include <doctest/doctest.h>

#include <map>

#include "actors/agent/batch_queue.hpp"
#include "runtime/random_source.hpp"

using dim::actors::batch_queue;
using dim::actors::queued_request;
using dim::actors::queue_room;
using keys = std::vector<std::uint64_t>;

namespace {

queued_request item(std::uint64_t key, std::int64_t rows = 1, std::int64_t arrived_us = 0) {
  return {key, rows, false, {}, arrived_us};
}

queued_request lone_item(std::uint64_t key) {
  return {key, 1, true, {}, 0};
}

}  // namespace

TEST_CASE("without a delay an idle worker gets whatever waits, up to the rows of one batch") {
  batch_queue queue{4, 0};
  for (std::uint64_t key = 1; key <= 6; ++key)
    queue.push(item(key));
  CHECK(queue.take(0, queue_room::any).keys == keys{1, 2, 3, 4});
  CHECK(queue.take(0, queue_room::any).keys == keys{5, 6});
  CHECK(queue.take(0, queue_room::any).keys.empty());
}

TEST_CASE("rows are counted, not requests, and a batch never has too many") {
  batch_queue queue{8, 0};
  queue.push(item(1, 5));
  queue.push(item(2, 4));
  queue.push(item(3, 3));
  CHECK(queue.take(0, queue_room::any).keys == keys{1, 3});
  CHECK(queue.take(0, queue_room::any).keys == keys{2});
}

TEST_CASE("a request larger than a batch still runs, by itself") {
  batch_queue queue{8, 1'000'000};
  queue.push(item(1, 9));
  queue.push(item(2));
  CHECK(queue.take(0, queue_room::any).keys == keys{1});
}

TEST_CASE("a model that does not batch runs one request at a time, without any delay") {
  batch_queue queue{0, 1'000'000};
  queue.push(item(1));
  queue.push(item(2));
  CHECK(queue.take(0, queue_room::any).keys == keys{1});
  CHECK(queue.take(0, queue_room::full_batch).keys == keys{2});
}

TEST_CASE("an open batch waits for others until its delay is over or it is full") {
  batch_queue queue{3, 500};
  queue.push(item(1, 1, 1'000));
  CHECK(queue.take(1'499, queue_room::any).keys.empty());
  CHECK(queue.due_us() == 1'500);
  queue.push(item(2, 1, 1'400));
  CHECK(queue.take(1'499, queue_room::any).keys.empty());
  CHECK(queue.due_us() == 1'500);
  CHECK(queue.take(1'500, queue_room::any).keys == keys{1, 2});
  CHECK_FALSE(queue.due_us());
  for (std::uint64_t key = 3; key <= 5; ++key)
    queue.push(item(key, 1, 2'000));
  CHECK(queue.take(2'000, queue_room::any).keys == keys{3, 4, 5});
}

TEST_CASE("a busy worker gets a second batch only when waiting can not make it larger") {
  batch_queue queue{2, 0};
  queue.push(item(1));
  CHECK(queue.take(0, queue_room::full_batch).keys.empty());
  queue.push(item(2));
  CHECK(queue.take(0, queue_room::none).keys.empty());
  CHECK(queue.take(0, queue_room::full_batch).keys == keys{1, 2});
}

TEST_CASE("a request that runs alone shares no batch, and waits until the worker is idle") {
  batch_queue queue{8, 0};
  queue.push(item(1));
  queue.push(lone_item(2));
  queue.push(item(3));
  CHECK(queue.take(0, queue_room::any).keys == keys{1, 3});
  CHECK(queue.take(0, queue_room::full_batch).keys.empty());
  CHECK(queue.take(0, queue_room::any).keys == keys{2});
}

TEST_CASE("only requests of equal form are joined, and none starves behind the others") {
  batch_queue queue{4, 0};
  queue.push({1, 1, false, "short", 0});
  queue.push({2, 1, false, "long", 0});
  queue.push({3, 1, false, "short", 0});
  CHECK(queue.take(0, queue_room::any).keys == keys{1, 3});
  queue.push({4, 1, false, "short", 0});
  CHECK(queue.take(0, queue_room::any).keys == keys{2});
}

TEST_CASE("what is put in front comes first, and what is withdrawn never comes") {
  batch_queue queue{2, 0};
  queue.push(item(1));
  queue.push(item(2));
  queue.push_front(lone_item(3));
  CHECK(queue.erase(1));
  CHECK_FALSE(queue.erase(1));
  CHECK(queue.take(0, queue_room::any).keys == keys{3});
  CHECK(queue.take(0, queue_room::any).keys == keys{2});
}

TEST_CASE("every request leaves once, in batches that keep all rules, whatever the mix") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    dim::runtime::random_source random{seed};
    auto rows_max = static_cast<std::int64_t>(random.below(9));
    batch_queue queue{rows_max, static_cast<std::uint32_t>(random.below(200))};
    std::map<std::uint64_t, queued_request> waiting;
    std::uint64_t oldest = 1;
    std::uint64_t next = 1;
    for (std::int64_t now = 0; now < 3'000; ++now) {
      if (now < 2'500 && random.below(3) == 0) {
        queued_request one{next, 1 + std::int64_t(random.below(4)), random.below(8) == 0,
                       random.below(2) == 0 ? "a" : "b", now};
        waiting[next++] = one;
        queue.push(one);
      }
      auto room = static_cast<queue_room>(random.below(3));
      auto batch = queue.take(now, room).keys;
      if (batch.empty())
        continue;
      REQUIRE(room != queue_room::none);
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
        CHECK((!each.alone || room == queue_room::any));
      }
      CHECK((rows <= rows_max || batch.size() == 1));
      for (auto key : batch)
        waiting.erase(key);
    }
    CHECK(waiting.size() == queue.size());
    while (!queue.empty())
      CHECK_FALSE(queue.take(1'000'000, queue_room::any).keys.empty());
  }
}
