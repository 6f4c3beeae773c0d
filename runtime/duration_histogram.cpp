#include "runtime/duration_histogram.hpp"

#include <algorithm>

namespace dim::runtime {

void duration_histogram::add(std::uint64_t took_us) {
  counts.resize(duration_bounds_us.size() + 1);
  const auto* bound =
    std::lower_bound(duration_bounds_us.begin(), duration_bounds_us.end(), took_us);
  ++counts[static_cast<std::size_t>(bound - duration_bounds_us.begin())];
  sum_us += took_us;
}

}  // namespace dim::runtime
