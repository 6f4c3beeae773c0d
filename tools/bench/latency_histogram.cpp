#include "tools/bench/latency_histogram.hpp"

#include <algorithm>
#include <bit>

namespace dim::tools {

namespace {

constexpr unsigned part_bits = 7;
/// Buckets for each doubling; below this many nanoseconds each has one of its own.
constexpr std::uint64_t parts = 1u << part_bits;
/// 2^42 ns are 73 minutes.
constexpr unsigned bits_max = 42;
constexpr std::size_t bucket_count = (bits_max - part_bits + 1) * parts;
constexpr std::uint64_t value_max = (1ull << bits_max) - 1;

std::size_t index_of(std::uint64_t value) {
  if (value < parts)
    return value;
  auto doublings = static_cast<unsigned>(std::bit_width(value)) - part_bits - 1;
  // The leading bit says which doubling; the bits behind it, which part of that.
  return (doublings + 1) * parts + ((value >> doublings) - parts);
}

std::uint64_t lower_bound_of(std::size_t index) {
  if (index < parts)
    return index;
  auto doublings = index / parts - 1;
  return (parts + index % parts) << doublings;
}

}  // namespace

void latency_histogram::add(std::chrono::nanoseconds took) {
  auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 0));
  if (counts_.empty())
    counts_.resize(bucket_count);
  ++counts_[index_of(std::min(value, value_max))];
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value);
  ++count_;
}

void latency_histogram::add(const latency_histogram& other) {
  if (other.count_ == 0)
    return;
  counts_.resize(bucket_count);
  for (std::size_t index = 0; index < bucket_count; ++index)
    counts_[index] += other.counts_[index];
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
  count_ += other.count_;
}

std::uint64_t latency_histogram::min_ns() const noexcept {
  return min_;
}

double latency_histogram::mean_ns() const noexcept {
  return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

double latency_histogram::quantile_ns(double share) const {
  if (count_ == 0 || share <= 0)
    return static_cast<double>(min_);
  if (share >= 1)
    return static_cast<double>(max_);
  auto rank = static_cast<std::uint64_t>(share * static_cast<double>(count_ - 1) + 0.5);
  std::uint64_t passed = 0;
  for (std::size_t index = 0; index < bucket_count; ++index) {
    passed += counts_[index];
    if (passed > rank) {
      auto middle = static_cast<double>(lower_bound_of(index) + lower_bound_of(index + 1) - 1) / 2;
      return std::clamp(middle, static_cast<double>(min_), static_cast<double>(max_));
    }
  }
  return static_cast<double>(max_);
}

std::vector<latency_histogram::bucket> latency_histogram::buckets() const {
  std::vector<bucket> result;
  for (std::size_t index = 0; index < counts_.size(); ++index)
    if (counts_[index] > 0)
      result.push_back({lower_bound_of(index), lower_bound_of(index + 1), counts_[index]});
  return result;
}

}  // namespace dim::tools
