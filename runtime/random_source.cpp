#include "runtime/random_source.hpp"

#include <bit>
#include <random>

namespace dim::runtime {

namespace {

std::uint64_t splitmix(std::uint64_t& state) noexcept {
  state += 0x9e3779b97f4a7c15ULL;
  std::uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
  return mixed ^ (mixed >> 31);
}

}  // namespace

random_source::random_source(std::uint64_t seed) noexcept : state_{} {
  for (auto& word : state_)
    word = splitmix(seed);
}

std::uint64_t random_source::next() noexcept {
  auto& [a, b, c, d] = state_;
  const std::uint64_t result = std::rotl(b * 5, 7) * 9;
  const std::uint64_t shifted = b << 17;
  c ^= a;
  d ^= b;
  b ^= c;
  a ^= d;
  c ^= shifted;
  d = std::rotl(d, 45);
  return result;
}

std::uint64_t random_source::below(std::uint64_t bound) noexcept {
  if (bound == 0)
    return 0;
  // The lowest numbers would come once too often: 2^64 modulo `bound` of them are drawn again.
  const std::uint64_t unfair = (0 - bound) % bound;
  std::uint64_t drawn = next();
  while (drawn < unfair)
    drawn = next();
  return drawn % bound;
}

double random_source::unit() noexcept {
  return static_cast<double>(next() >> 11) * 0x1.0p-53;
}

std::uint64_t seed_from_system() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

}  // namespace dim::runtime
