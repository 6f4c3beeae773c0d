#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "runtime/random_source.hpp"

/// Drawing digits, so that classifiers can be trained without a data set.
namespace dim::tools {

inline constexpr std::size_t digit_side = 8;
inline constexpr std::size_t digit_pixels = digit_side * digit_side;
inline constexpr int digit_classes = 10;

/// An 8x8 picture, row by row, with whole values from 0 (dark) to 255.
using digit_picture = std::array<float, digit_pixels>;

/// Draws `digit` (0 to 9) in one of three hands, shifted, scaled, turned, slanted, blurred, dimmed
/// and with noise, all at random.
digit_picture draw_digit(int digit, runtime::random_source& random);

}  // namespace dim::tools
