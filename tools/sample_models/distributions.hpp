#pragma once

#include <cmath>
#include <numbers>

#include "runtime/random_source.hpp"

/// Random numbers that are the same for one seed with every standard library.
namespace dim::tools {

/// Every value of [low, high) alike.
inline double between(runtime::random_source& random, double low, double high) {
  return low + (high - low) * random.unit();
}

/// A normal distribution (Box and Muller 1958).
inline double normal(runtime::random_source& random, double mean, double deviation) {
  const double radius = std::sqrt(-2 * std::log(1 - random.unit()));
  return mean + deviation * radius * std::cos(2 * std::numbers::pi * random.unit());
}

}  // namespace dim::tools
