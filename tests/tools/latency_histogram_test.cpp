#include "tools/bench/latency_histogram.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <doctest/doctest.h>

using namespace dim;
using std::chrono::nanoseconds;

TEST_CASE("an empty histogram has no values") {
  tools::latency_histogram empty;
  CHECK(empty.count() == 0);
  CHECK(empty.quantile_ns(0.5) == 0);
  CHECK(empty.mean_ns() == 0);
  CHECK(empty.buckets().empty());
}

TEST_CASE("every quantile is within one percent of the sorted values") {
  auto seed = std::random_device{}();
  MESSAGE("seed " << seed);
  std::mt19937_64 random{seed};
  std::vector<double> values;
  tools::latency_histogram histogram;
  for (int i = 0; i < 20'000; ++i) {
    // From nanoseconds to minutes.
    auto value = std::floor(std::pow(10.0, static_cast<double>(random() % 11'000) / 1'000));
    values.push_back(value);
    histogram.add(nanoseconds{static_cast<std::int64_t>(value)});
  }
  std::sort(values.begin(), values.end());
  for (auto share : {0.0, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    CAPTURE(share);
    auto exact = values[static_cast<std::size_t>(share * 19'999 + 0.5)];
    CHECK(histogram.quantile_ns(share) == doctest::Approx(exact).epsilon(0.01));
  }
  CHECK(histogram.min_ns() == values.front());
  CHECK(histogram.max_ns() == values.back());
}

TEST_CASE("each value lies in its bucket, and the buckets meet") {
  for (std::int64_t value : {0, 1, 127, 128, 255, 256, 1'000, 65'535, 65'536, 10'000'019}) {
    tools::latency_histogram histogram;
    histogram.add(nanoseconds{value});
    auto buckets = histogram.buckets();
    REQUIRE(buckets.size() == 1);
    CHECK(buckets[0].from_ns <= static_cast<std::uint64_t>(value));
    CHECK(buckets[0].to_ns > static_cast<std::uint64_t>(value));
    CHECK(buckets[0].to_ns - buckets[0].from_ns <= 1 + static_cast<std::uint64_t>(value) / 128);
  }
}

TEST_CASE("durations beyond the last bucket, and negative ones, are counted at the ends") {
  tools::latency_histogram histogram;
  histogram.add(nanoseconds{-5});
  histogram.add(std::chrono::hours{30});
  CHECK(histogram.count() == 2);
  CHECK(histogram.min_ns() == 0);
  CHECK(histogram.quantile_ns(1) == 30 * 3'600e9);
}

TEST_CASE("two histograms are added as if their values had come to one") {
  tools::latency_histogram one, other, all;
  for (int value = 1; value < 1'000; ++value) {
    (value % 3 == 0 ? one : other).add(nanoseconds{value * 977});
    all.add(nanoseconds{value * 977});
  }
  one.add(other);
  one.add(tools::latency_histogram{});
  CHECK(one.count() == all.count());
  CHECK(one.min_ns() == all.min_ns());
  CHECK(one.mean_ns() == doctest::Approx(all.mean_ns()));
  for (auto share : {0.1, 0.5, 0.99})
    CHECK(one.quantile_ns(share) == all.quantile_ns(share));
}
