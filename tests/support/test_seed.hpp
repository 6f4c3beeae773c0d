#pragma once

#include <cstdint>
#include <cstdlib>

#include "runtime/random_source.hpp"

namespace dim::tests {

/// The seed of a random test, which it prints when it fails: from DIM_TEST_SEED, to play the same
/// choices again, else from the system. Below 2^48, so that a test may count up from it.
inline std::uint64_t test_seed() {
  const char* text = std::getenv("DIM_TEST_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : runtime::seed_from_system() >> 16;
}

}  // namespace dim::tests
