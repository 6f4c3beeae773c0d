#include <map>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "tests/actors/engine_world.hpp"
#include "tests/support/test_seed.hpp"

using namespace dim;
using namespace dim::actors;
using namespace dim::tests;

namespace {

constexpr std::uint64_t seeds_per_pattern = 2'000;

}  // namespace

TEST_CASE("whatever order news comes in, every run of every pattern keeps its promises") {
  const auto first = test_seed();
  MESSAGE("replay with DIM_TEST_SEED=", first);
  const std::map<pattern, std::set<std::string>> expected{
    {pattern::single, {"completed", "stopped", "bad_input"}},
    {pattern::replicated, {"completed", "stopped", "no_consensus", "no_nodes", "poison_input"}},
    {pattern::collaborative, {"completed", "partial", "stopped", "no_nodes", "bad_model"}},
    {pattern::comparative, {"completed", "partial", "stopped", "no_consensus", "node_lost"}},
    {pattern::chained, {"completed", "stopped", "bad_input", "store_full"}}};
  for (auto& [kind, wanted] : expected) {
    std::set<std::string> endings;
    std::size_t adopted = 0;
    for (std::uint64_t seed = first; seed < first + seeds_per_pattern; ++seed) {
      CAPTURE(to_string(kind));
      CAPTURE(seed);
      world one{kind, seed};
      one.play();
      endings.insert(one.ending());
      adopted += one.adopted();
    }
    CHECK(adopted > 0);
    // A campaign that never met these ends would prove little.
    for (auto& ending : wanted)
      CHECK_MESSAGE(endings.contains(ending), to_string(kind), " never ended as ", ending);
  }
}
