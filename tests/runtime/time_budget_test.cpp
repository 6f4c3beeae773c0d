#include "runtime/time_budget.hpp"

#include <limits>

#include <doctest/doctest.h>

using dim::runtime::time_budget;

constexpr std::int64_t ms = 1'000'000;

TEST_CASE("a budget runs down by the receiver's clock and never below zero") {
  time_budget budget{250, 1'000 * ms};
  CHECK(budget.left_ms(1'000 * ms) == 250);
  CHECK(budget.left_ms(1'100 * ms) == 150);
  CHECK(budget.left_ms(1'249 * ms + 1) == 0);
  CHECK_FALSE(budget.is_over(1'250 * ms - 1));
  CHECK(budget.is_over(1'250 * ms));
  CHECK(budget.left_ms(9'000 * ms) == 0);
}

TEST_CASE("capping takes the earlier end") {
  time_budget budget{250, 0};
  CHECK(budget.capped(100, 50 * ms).left_ms(50 * ms) == 100);
  CHECK(budget.capped(500, 50 * ms).left_ms(50 * ms) == 200);
  CHECK(budget.capped(100, 0) < budget);
}

TEST_CASE("an endless wish does not overflow") {
  time_budget budget{std::numeric_limits<std::uint64_t>::max(), 1'000'000'000 * ms};
  CHECK(budget.left_ms(1'000'000'000 * ms) > 1'000'000'000);
  CHECK_FALSE(budget.is_over(1'000'000'000 * ms));
}

TEST_CASE("a budget of nothing is over at once") {
  time_budget budget{0, 5 * ms};
  CHECK(budget.is_over(5 * ms));
}
