#pragma once

#include <cstdint>

#include "tests/simulation/network.hpp"
#include "tools/scenario/scenario.hpp"

namespace dim::simulation {

struct generator_limits {
  std::uint32_t nodes_min = 10;
  std::uint32_t nodes_max = 20;
  std::uint32_t jobs = 100;
  std::int64_t duration_ms = 600'000;
};

/// A scenario with faults of a random mix of kinds, all of it determined by the seed.
scenario::scenario generate_scenario(std::uint64_t seed, const generator_limits& limits);

/// Links that suit the seed: as over TCP for two of three, else with loss and overtaking.
link_quality generate_quality(std::uint64_t seed);

}  // namespace dim::simulation
