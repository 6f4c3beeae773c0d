#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <caf/all.hpp>

#include "runtime/bytes.hpp"
#include "runtime/real.hpp"

namespace dim::tests {

/// The doubles that links have been known to hang on or to change: infinities, NaNs with and
/// without payload, the negative zero, denormals, and the ends of the range.
inline constexpr std::array<std::uint64_t, 10> worst_doubles{
  0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000, 0xfff8000000000000,
  0x7ff0000000000001, 0x8000000000000000, 0x0000000000000001, 0x800fffffffffffff,
  0x7fefffffffffffff, 0x0010000000000000};

/// The same as bytes of a tensor, with the worst floats, followed by every byte value.
inline std::vector<char> worst_bytes() {
  std::vector<char> result(worst_doubles.size() * sizeof(double));
  std::memcpy(result.data(), worst_doubles.data(), result.size());
  for (std::uint32_t bits : {0x7f800000u, 0xff800000u, 0x7fc00000u, 0x80000000u, 0x00000001u})
    for (int shift = 0; shift < 32; shift += 8)
      result.push_back(static_cast<char>(bits >> shift));
  for (int value = 0; value < 256; ++value)
    result.push_back(static_cast<char>(value));
  return result;
}

/// Fills any message through its own `inspect` with the worst values of its fields, so that a new
/// message needs no test value of its own. Each seed gives other values.
class worst_filler {
public:
  using result_type = bool;
  static constexpr bool reads_state = false;
  static constexpr bool writes_state = true;

  /// `actor` is put where a message carries a handle.
  worst_filler(std::uint64_t seed, caf::strong_actor_ptr actor)
    : turn_(seed), actor_(std::move(actor)) {
  }

  template <class... Fields>
  bool operator()(Fields&&... fields) {
    (fill(fields), ...);
    return true;
  }

  template <class T>
  void fill(T& x) {
    if constexpr (std::is_same_v<T, bool>)
      x = next() % 2 == 0;
    else if constexpr (std::is_enum_v<T>)
      x = static_cast<T>(next() % 2 == 0 ? 0xff : 1);
    else if constexpr (std::is_integral_v<T>)
      x = next() % 2 == 0 ? std::numeric_limits<T>::max() : std::numeric_limits<T>::min();
    else
      inspect(*this, x);
  }

  void fill(runtime::real& x) {
    x = std::bit_cast<double>(worst_doubles[next() % worst_doubles.size()]);
  }

  void fill(runtime::bytes& x) {
    x = next() % 4 == 0 ? runtime::bytes{} : runtime::bytes{worst_bytes()};
  }

  void fill(std::string& x) {
    x.clear();
    if (next() % 4 != 0)
      for (int value = 0; value < 256; ++value)
        x.push_back(static_cast<char>(value));
  }

  template <class T>
  void fill(std::vector<T>& x) {
    x.resize(next() % 3);
    for (auto& each : x)
      fill(each);
  }

  template <class Key, class Value>
  void fill(std::map<Key, Value>& x) {
    Key key{};
    Value value{};
    fill(key);
    fill(value);
    x[key] = value;
    x[Key{}] = Value{};
  }

  template <class... Signatures>
  void fill(caf::typed_actor<Signatures...>& x) {
    x = caf::actor_cast<caf::typed_actor<Signatures...>>(actor_);
  }

private:
  /// Different fields of one message get different values, different seeds too.
  std::uint64_t next() {
    turn_ = turn_ * 6364136223846793005ull + 1442695040888963407ull;
    return turn_ >> 33;
  }

  std::uint64_t turn_;
  caf::strong_actor_ptr actor_;
};

}  // namespace dim::tests
