#pragma once

#include <array>
#include <cstdint>
#include <vector>

/// How often something took how long.
namespace dim::runtime {

/// Upper bounds of the buckets of all histograms, in microseconds: 100 us to 5 min.
inline constexpr std::array<std::uint64_t, 19> duration_bounds_us{
  100,     250,     500,       1'000,     2'500,     5'000,      10'000,     25'000,     50'000,
  100'000, 250'000, 500'000,   1'000'000, 2'500'000, 5'000'000,  10'000'000, 30'000'000, 60'000'000,
  300'000'000};

/// A histogram that may travel: whoever shows it need not be who counts.
struct duration_histogram {
  /// One for each bound, not added up, and one for all above; empty while nothing was counted.
  std::vector<std::uint64_t> counts;
  std::uint64_t sum_us = 0;

  void add(std::uint64_t took_us);
  bool operator==(const duration_histogram&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, duration_histogram& x) {
  return f(x.counts, x.sum_us);
}

}  // namespace dim::runtime
