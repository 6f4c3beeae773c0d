#pragma once

#include <bit>
#include <cstdint>

namespace dim::runtime {

/// A double inside a message or a stored record, carried as its bits. CAF 0.17.6 hangs on infinity
/// and corrupts NaN and denormals, so no message may hold a bare float or double.
class real {
public:
  real() = default;
  real(double value) : bits_(std::bit_cast<std::uint64_t>(value)) {
  }

  operator double() const noexcept {
    return std::bit_cast<double>(bits_);
  }

  bool operator==(const real&) const = default;

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, real& x) {
    return f(x.bits_);
  }

private:
  std::uint64_t bits_ = 0;
};

}  // namespace dim::runtime
