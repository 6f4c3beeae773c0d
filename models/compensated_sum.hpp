#pragma once

#include <cmath>

namespace dim::models {

/// Adds `value` to `sum`, keeping in `lost` what the sum has lost by rounding (Neumaier 1974): the
/// result is `sum + lost`. Infinities and NaN go into the sum alone.
inline void add_compensated(double& sum, double& lost, double value) noexcept {
  const double total = sum + value;
  if (std::isfinite(total))
    lost += std::abs(sum) >= std::abs(value) ? (sum - total) + value : (value - total) + sum;
  sum = total;
}

}  // namespace dim::models
