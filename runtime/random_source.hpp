#pragma once

#include <array>
#include <cstdint>
#include <limits>

namespace dim::runtime {

/// A seeded generator of 64-bit numbers: xoshiro256** by Blackman and Vigna, its state filled by
/// splitmix64. The project's own, so that one seed gives the same run with every standard library.
/// It satisfies UniformRandomBitGenerator. Not for secrets, and not to be shared between threads.
class random_source {
public:
  using result_type = std::uint64_t;

  explicit random_source(std::uint64_t seed) noexcept;

  /// The next number, all 64 bits of it random.
  std::uint64_t next() noexcept;

  /// A number from 0 to `bound` - 1, every one as likely as the others; 0 for a `bound` of 0.
  std::uint64_t below(std::uint64_t bound) noexcept;

  /// A number in [0, 1), with 53 random bits.
  double unit() noexcept;

  std::uint64_t operator()() noexcept {
    return next();
  }
  static constexpr std::uint64_t min() noexcept {
    return 0;
  }
  static constexpr std::uint64_t max() noexcept {
    return std::numeric_limits<std::uint64_t>::max();
  }

private:
  std::array<std::uint64_t, 4> state_;
};

/// A seed from the operating system, for programs that are not replayed.
std::uint64_t seed_from_system();

}  // namespace dim::runtime
