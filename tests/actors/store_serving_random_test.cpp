#include <map>
#include <string>

#include <doctest/doctest.h>

#include "tests/actors/serving_world.hpp"
#include "tests/support/test_seed.hpp"

using namespace dim;
using namespace dim::tests;

namespace {

constexpr std::uint64_t seeds = 200;
constexpr std::size_t steps = 120;

}  // namespace

TEST_CASE("whatever is loaded, sent, uploaded and removed, agents are those of what is served") {
  const auto first = test_seed();
  MESSAGE("replay with DIM_TEST_SEED=", first);
  std::map<std::string, std::size_t> counts;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    CAPTURE(seed);
    serving_world one{seed};
    one.play(steps);
    for (auto& [what, times] : one.counts())
      counts[what] += times;
  }
  // A campaign in which these never happened would prove little.
  for (auto* what : {"load", "load with companions", "send", "upload", "entered at once", "unload",
                     "alias", "alias prepared", "load finished", "load failed", "remove", "edit"})
    CHECK_MESSAGE(counts[what] > seeds / 10, "too few: ", what);
}
