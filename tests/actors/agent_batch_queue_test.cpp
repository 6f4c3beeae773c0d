#include <doctest/doctest.h>

#include <limits>
#include <map>

#include "actors/agent/batch_queue.hpp"
#include "runtime/random_source.hpp"

using dim::actors::batch_queue;
using dim::actors::queued_request;
using dim::actors::queue_room;
using dim::actors::release_reason;
namespace models = dim::models;
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

TEST_CASE("a batch of a preferred size leaves at once, and the rest waits for its delay") {
  models::batching_policy policy;
  policy.preferred_sizes = {2, 4};
  batch_queue queue{8, 1'000, policy};
  for (std::uint64_t key = 1; key <= 5; ++key)
    queue.push(item(key));
  auto first = queue.take(0, queue_room::full_batch);
  CHECK(first.keys == keys{1, 2, 3, 4});
  CHECK(first.released == release_reason::preferred);
  CHECK(queue.take(999, queue_room::any).keys.empty());
  auto rest = queue.take(1'000, queue_room::any);
  CHECK(rest.keys == keys{5});
  CHECK(rest.released == release_reason::delay);
}

TEST_CASE("a batch says why it left") {
  batch_queue queue{2, 0};
  queue.push(item(1));
  CHECK(queue.take(0, queue_room::any).released == release_reason::idle);
  queue.push(item(2));
  queue.push(item(3));
  CHECK(queue.take(0, queue_room::any).released == release_reason::full);
  queue.push(lone_item(4));
  CHECK(queue.take(0, queue_room::any).released == release_reason::alone);
}

TEST_CASE("a hurried request need not wait until a busy worker is idle") {
  batch_queue queue{4, 0};
  auto one = item(1);
  one.hurried = true;
  queue.push(one);
  CHECK(queue.take(0, queue_room::full_batch).keys.empty());
  CHECK(queue.take(0, queue_room::hurried).keys == keys{1});
  queue.push(item(2));
  CHECK(queue.take(0, queue_room::hurried).keys.empty());
}

TEST_CASE("a higher priority goes first, and one that is not known has the default") {
  models::batching_policy policy;
  policy.priority_levels = 3;
  policy.default_priority = 2;
  batch_queue queue{2, 0, policy};
  for (std::uint32_t priority : {3u, 0u, 9u, 1u}) {
    auto one = item(10 + priority);
    one.priority = priority;
    queue.push(one);
  }
  CHECK(queue.take(0, queue_room::any).keys == keys{11, 10});
  CHECK(queue.take(0, queue_room::any).keys == keys{19, 13});
}

TEST_CASE("a request that has waited too long is given up") {
  models::batching_policy policy;
  policy.default_queue.default_timeout_us = 100;
  batch_queue queue{1, 0, policy};
  queue.push(item(1, 1, 0));
  queue.push(item(2, 1, 50));
  CHECK(queue.timeout_due_us() == 100);
  CHECK(queue.take_late(99).empty());
  CHECK(queue.take_late(100) == keys{1});
  CHECK(queue.timeout_due_us() == 150);
  CHECK(queue.take(120, queue_room::any).keys == keys{2});
  CHECK_FALSE(queue.timeout_due_us());
  CHECK(queue.empty());
}

TEST_CASE("a policy may let late requests wait on, behind all others") {
  models::batching_policy policy;
  policy.default_queue = {models::timeout_action::delay, 100, false, 0};
  batch_queue queue{1, 0, policy};
  queue.push(item(1, 1, 0));
  queue.push(item(2, 1, 50));
  CHECK(queue.take_late(100).empty());
  CHECK(queue.size() == 2);
  CHECK(queue.take(120, queue_room::any).keys == keys{2});
  CHECK(queue.take_late(1'000).empty());
  CHECK(queue.take(1'000, queue_room::any).keys == keys{1});
}

TEST_CASE("a request may shorten its queue timeout where the policy allows it, never lengthen it") {
  models::batching_policy policy;
  policy.default_queue = {models::timeout_action::reject, 100, true, 0};
  batch_queue queue{1, 0, policy};
  auto hasty = item(1);
  hasty.timeout_us = 10;
  auto patient = item(2);
  patient.timeout_us = 1'000;
  queue.push(hasty);
  queue.push(patient);
  CHECK(queue.take_late(10) == keys{1});
  CHECK(queue.take_late(100) == keys{2});
  policy.default_queue.allow_timeout_override = false;
  batch_queue strict{1, 0, policy};
  strict.push(hasty);
  CHECK(strict.take_late(99).empty());
  CHECK(strict.take_late(100) == keys{1});
}

TEST_CASE("a request whose queue timeout is longer than any time does not wait too long") {
  models::batching_policy policy;
  policy.default_queue = {models::timeout_action::reject, 0, true, 0};
  batch_queue queue{1, 0, policy};
  auto patient = item(1);
  patient.arrived_us = 1'000;
  patient.timeout_us = std::numeric_limits<std::int64_t>::max();
  queue.push(patient);
  CHECK(queue.take_late(1'000'000).empty());
  CHECK(queue.size() == 1);
}

TEST_CASE("a queue that is full refuses, for its own priority only") {
  models::batching_policy policy;
  policy.priority_levels = 2;
  policy.default_priority = 1;
  policy.queue_by_priority[2].queue_max = 1;
  batch_queue queue{1, 0, policy};
  auto low = item(1);
  low.priority = 2;
  CHECK(queue.refusal_of(2).empty());
  queue.push(low);
  CHECK(queue.refusal_of(2) == "Exceeds maximum queue size: 1 requests wait already");
  CHECK(queue.refusal_of(1).empty());
  CHECK(queue.take(0, queue_room::any).keys == keys{1});
  CHECK(queue.refusal_of(2).empty());
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
