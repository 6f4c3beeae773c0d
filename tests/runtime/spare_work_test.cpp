#include "runtime/spare_work.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

using dim::runtime::spare_work;

TEST_CASE("what is offered is done once, in its order, by whoever comes first") {
  spare_work work;
  std::vector<int> done;
  for (int number = 0; number < 10; ++number)
    work.offer([&done, number] { done.push_back(number); });
  CHECK(done.empty());
  CHECK(work.help());
  CHECK(done == std::vector<int>{0, 1, 2, 3});
  work.run_all();
  CHECK(done == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  CHECK_FALSE(work.help());
}

TEST_CASE("work beyond what may wait is done at once") {
  spare_work work;
  std::size_t done = 0;
  for (std::size_t number = 0; number < spare_work::tasks_max; ++number)
    work.offer([&done] { ++done; });
  CHECK(done == 0);
  work.offer([&done] { ++done; });
  CHECK(done == 1);
  work.run_all();
  CHECK(done == spare_work::tasks_max + 1);
}

TEST_CASE("work that offers more is no endless loop for a helper") {
  spare_work work;
  std::size_t done = 0;
  std::function<void()> again = [&] {
    ++done;
    work.offer(again);
  };
  work.offer(again);
  CHECK(work.help());
  CHECK(done == spare_work::help_max);
}

TEST_CASE("two threads that offer and two that help do everything once") {
  constexpr int each = 20'000;
  spare_work work;
  std::atomic<int> done{0};
  std::atomic<int> offering{2};
  std::vector<std::thread> threads;
  for (int owner = 0; owner < 2; ++owner)
    threads.emplace_back([&] {
      for (int number = 0; number < each; ++number) {
        work.offer([&done] { ++done; });
        if (number % 7 == 0)
          work.run_all();
      }
      work.run_all();
      --offering;
    });
  for (int helper = 0; helper < 2; ++helper)
    threads.emplace_back([&] {
      while (offering > 0)
        work.help();
    });
  for (auto& thread : threads)
    thread.join();
  CHECK(done == 2 * each);
}
