// The same for long enough to meet what is rare.
#include <doctest/doctest.h>

#include "tests/cluster/survival.hpp"

using namespace dim;

TEST_CASE("200 kills of random processes under load lose no acknowledged job and end none twice") {
  tests::survive(200, std::chrono::seconds{180});
}
