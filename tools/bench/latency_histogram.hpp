#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace dim::tools {

/// Counts durations in buckets whose width grows with the duration, 128 of them for each doubling:
/// every value is known to better than 1 %, from nanoseconds to more than an hour, in 36 KiB. The
/// layout is that of G. Tene's HdrHistogram.
class latency_histogram {
public:
  /// Negative durations count as 0, those beyond the last bucket in it.
  void add(std::chrono::nanoseconds took);
  void add(const latency_histogram& other);

  std::uint64_t count() const noexcept {
    return count_;
  }
  /// The exact extremes, in nanoseconds; 0 when empty.
  std::uint64_t min_ns() const noexcept;
  std::uint64_t max_ns() const noexcept {
    return max_;
  }
  double mean_ns() const noexcept;

  /// The duration below which `share` (0 to 1) of them lie, in nanoseconds: the middle of its
  /// bucket, and the exact extremes for 0 and 1. 0 when empty.
  double quantile_ns(double share) const;

  /// A bucket that holds something: durations of at least `from_ns` and below `to_ns`.
  struct bucket {
    std::uint64_t from_ns = 0;
    std::uint64_t to_ns = 0;
    std::uint64_t count = 0;
  };
  /// In rising order.
  std::vector<bucket> buckets() const;

private:
  /// Made with the first value.
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t min_ = 0;
  std::uint64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace dim::tools
