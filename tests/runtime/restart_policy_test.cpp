#include "runtime/restart_policy.hpp"

#include <doctest/doctest.h>

using namespace dim::runtime;
using indexes = std::vector<std::size_t>;

TEST_CASE("permanent children are always restarted, transient after errors, temporary never") {
  CHECK(is_restarted(restart_kind::permanent, false));
  CHECK(is_restarted(restart_kind::permanent, true));
  CHECK_FALSE(is_restarted(restart_kind::transient, false));
  CHECK(is_restarted(restart_kind::transient, true));
  CHECK_FALSE(is_restarted(restart_kind::temporary, true));
}

TEST_CASE("each strategy stops later children first and starts earlier children first") {
  auto one = plan_restart(restart_strategy::one_for_one, 4, 1);
  CHECK(one.stop == indexes{});
  CHECK(one.start == indexes{1});
  auto all = plan_restart(restart_strategy::one_for_all, 4, 1);
  CHECK(all.stop == indexes{3, 2, 0});
  CHECK(all.start == indexes{0, 1, 2, 3});
  auto rest = plan_restart(restart_strategy::rest_for_one, 4, 1);
  CHECK(rest.stop == indexes{3, 2});
  CHECK(rest.start == indexes{1, 2, 3});
}

TEST_CASE("the window allows its number of restarts, and forgets old ones") {
  restart_window window{{3, 1000, 100, 5000}};
  CHECK(window.note(0));
  CHECK(window.note(10));
  CHECK(window.note(20));
  CHECK_FALSE(window.note(999));
  restart_window later{{3, 1000, 100, 5000}};
  CHECK(later.note(0));
  CHECK(later.note(10));
  CHECK(later.note(20));
  CHECK(later.note(1000));
  CHECK_FALSE(later.note(1009));
}

TEST_CASE("the back-off doubles up to its cap, with jitter in its upper half") {
  random_source random{7};
  for (std::uint32_t failures = 1; failures < 100; ++failures) {
    auto whole = failures < 7 ? 100u << (failures - 1) : 5000u;
    for (int round = 0; round < 50; ++round) {
      auto pause = backoff_of(100, 5000, failures, random);
      CHECK(pause >= whole / 2);
      CHECK(pause <= whole);
    }
  }
  CHECK(backoff_of(0, 5000, 3, random) == 0);
}
