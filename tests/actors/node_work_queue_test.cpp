#include <doctest/doctest.h>

#include <map>
#include <set>

#include "actors/node/work_queue.hpp"
#include "runtime/random_source.hpp"

using dim::actors::start_outcome;
using dim::actors::work_queue;
using keys = std::vector<std::string>;

namespace {

/// Starts whatever is offered, and tells in which order.
keys start_all(work_queue& queue) {
  keys order;
  queue.start_waiting([&](const std::string& key) {
    order.push_back(key);
    return start_outcome::started;
  });
  return order;
}

}  // namespace

TEST_CASE("executions start by priority, equal ones in the order of arrival") {
  work_queue queue{10};
  CHECK(queue.push("a", 5));
  CHECK(queue.push("b", 9));
  CHECK(queue.push("c", 5));
  CHECK(queue.push("d", 0));
  CHECK(queue.keys() == keys{"b", "a", "c", "d"});
  CHECK(start_all(queue) == keys{"b", "a", "c", "d"});
  CHECK(queue.size() == 0);
}

TEST_CASE("a full queue takes nothing more until something leaves it") {
  work_queue queue{2};
  CHECK(queue.push("a", 5));
  CHECK(queue.push("b", 5));
  CHECK(queue.is_full());
  CHECK_FALSE(queue.push("c", 9));
  CHECK_FALSE(queue.contains("c"));
  CHECK(queue.erase("a"));
  CHECK_FALSE(queue.erase("a"));
  CHECK(queue.push("c", 9));
  CHECK(queue.keys() == keys{"c", "b"});
}

TEST_CASE("an execution whose model is on its way lets any number of others pass") {
  work_queue queue{1000, 2};
  queue.push("slow", 9);
  for (int round = 0; round < 20; ++round) {
    auto name = "quick" + std::to_string(round);
    queue.push(name, 0);
    keys started;
    queue.start_waiting([&](const std::string& key) {
      if (key == "slow")
        return start_outcome::not_ready;
      started.push_back(key);
      return start_outcome::started;
    });
    CHECK(started == keys{name});
  }
}

TEST_CASE("an execution without room lets only a few others pass, then everyone waits for it") {
  work_queue queue{1000, 3};
  queue.push("large", 5);
  for (int number = 0; number < 10; ++number)
    queue.push("small" + std::to_string(number), 5);
  keys started;
  auto only_small = [&](const std::string& key) {
    if (key == "large")
      return start_outcome::no_room;
    started.push_back(key);
    return start_outcome::started;
  };
  queue.start_waiting(only_small);
  CHECK(started == keys{"small0", "small1", "small2"});
  queue.start_waiting(only_small);
  CHECK(started.size() == 3);
  CHECK(start_all(queue).front() == "large");
  CHECK(queue.size() == 0);
}

TEST_CASE("one look goes only so deep, so that its work is bounded") {
  work_queue queue{100'000};
  for (int number = 0; number < 10'000; ++number)
    queue.push(std::to_string(number), 5);
  std::size_t looks = 0;
  queue.start_waiting([&](const std::string&) {
    ++looks;
    return start_outcome::not_ready;
  });
  CHECK(looks <= 64);
}

TEST_CASE("whatever happens, every execution leaves once and the order holds among equals") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    dim::runtime::random_source random{seed};
    work_queue queue{64};
    std::map<std::string, std::uint32_t> waiting;
    std::set<std::string> left;
    for (int step = 0; step < 500; ++step) {
      auto key = std::to_string(step);
      auto priority = static_cast<std::uint32_t>(random.below(10));
      if (random.below(3) > 0) {
        if (queue.push(key, priority))
          waiting[key] = priority;
      } else if (!waiting.empty() && random.below(4) == 0) {
        auto victim = waiting.begin()->first;
        CHECK(queue.erase(victim));
        waiting.erase(victim);
      } else {
        std::uint32_t last = 9;
        queue.start_waiting([&](const std::string& each) {
          CHECK(waiting.contains(each));
          CHECK(waiting[each] <= last);
          last = waiting[each];
          if (random.below(2) == 0)
            return start_outcome::not_ready;
          CHECK(left.insert(each).second);
          waiting.erase(each);
          return start_outcome::started;
        });
      }
      CHECK(queue.size() == waiting.size());
    }
  }
}
