#include <doctest/doctest.h>

#include "actors/cluster/wait_queue.hpp"

using dim::actors::wait_queue;
using keys = std::vector<std::uint64_t>;

TEST_CASE("higher priorities come first, equal ones in the order of arrival") {
  wait_queue queue{30'000};
  queue.push(1, 5, "ann", 0);
  queue.push(2, 9, "ann", 0);
  queue.push(3, 5, "ann", 0);
  CHECK(queue.front(10) == keys{2, 1, 3});
  CHECK(queue.front(2) == keys{2, 1});
  queue.erase(2);
  queue.erase(2);
  CHECK(queue.front(10) == keys{1, 3});
  CHECK(queue.size() == 2);
}

TEST_CASE("owners take turns within a level, beginning with whoever was served longest ago") {
  wait_queue queue{30'000};
  for (std::uint64_t key = 1; key <= 3; ++key)
    queue.push(key, 5, "ann", 0);
  queue.push(4, 5, "bob", 0);
  queue.push(5, 5, "bob", 0);
  CHECK(queue.front(10) == keys{1, 4, 2, 5, 3});
  queue.note_served(1);
  queue.erase(1);
  CHECK(queue.front(10) == keys{4, 2, 5, 3});
}

TEST_CASE("waiting raises a key by one level every age, up to the highest") {
  wait_queue queue{30'000};
  queue.push(1, 0, "ann", 0);
  queue.push(2, 1, "bob", 29'000);
  queue.age(29'999);
  CHECK(queue.front(10) == keys{2, 1});
  queue.age(30'000);
  CHECK(queue.front(10) == keys{1, 2});
  queue.age(10 * 30'000 + 29'000);
  queue.push(3, 9, "cid", 400'000);
  CHECK(queue.front(10) == keys{1, 2, 3});
}

TEST_CASE("nothing is left behind when everything was erased") {
  wait_queue queue{1'000};
  for (std::uint64_t key = 1; key <= 100; ++key)
    queue.push(key, key % 10, "owner" + std::to_string(key % 7), std::int64_t(key));
  queue.age(5'000);
  for (std::uint64_t key = 1; key <= 100; ++key)
    queue.erase(key);
  CHECK(queue.empty());
  CHECK(queue.front(10).empty());
  queue.age(100'000);
}
