// Processes are killed at random moments under load, and nothing that was acknowledged is lost.
#include <doctest/doctest.h>

#include "tests/cluster/survival.hpp"

using namespace dim;

TEST_CASE("20 kills of random processes under load lose no acknowledged job and end none twice") {
  tests::survive(20, std::chrono::seconds{60});
}
