#include "tools/sample_models/glyphs.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string_view>

#include "tools/sample_models/distributions.hpp"

namespace dim::tools {

namespace {

constexpr std::size_t glyph_width = 5;
constexpr std::size_t glyph_height = 7;
constexpr std::size_t hands = 3;

using glyph = std::array<std::string_view, glyph_height>;

/// Round printed digits, square ones, and some as they are written by hand.
constexpr std::array<std::array<glyph, digit_classes>, hands> glyphs{{
  {{
    {".###.", "#...#", "#...#", "#...#", "#...#", "#...#", ".###."},
    {"..#..", ".##..", "..#..", "..#..", "..#..", "..#..", ".###."},
    {".###.", "#...#", "....#", "...#.", "..#..", ".#...", "#####"},
    {".###.", "#...#", "....#", "..##.", "....#", "#...#", ".###."},
    {"...#.", "..##.", ".#.#.", "#..#.", "#####", "...#.", "...#."},
    {"#####", "#....", "####.", "....#", "....#", "#...#", ".###."},
    {"..##.", ".#...", "#....", "####.", "#...#", "#...#", ".###."},
    {"#####", "....#", "...#.", "..#..", "..#..", ".#...", ".#..."},
    {".###.", "#...#", "#...#", ".###.", "#...#", "#...#", ".###."},
    {".###.", "#...#", "#...#", ".####", "....#", "...#.", ".##.."},
  }},
  {{
    {"#####", "#...#", "#...#", "#...#", "#...#", "#...#", "#####"},
    {"..#..", "..#..", "..#..", "..#..", "..#..", "..#..", "..#.."},
    {"#####", "....#", "....#", "#####", "#....", "#....", "#####"},
    {"#####", "....#", "....#", ".####", "....#", "....#", "#####"},
    {"#...#", "#...#", "#...#", "#####", "....#", "....#", "....#"},
    {"#####", "#....", "#....", "#####", "....#", "....#", "#####"},
    {"#....", "#....", "#....", "#####", "#...#", "#...#", "#####"},
    {"#####", "....#", "....#", "....#", "....#", "....#", "....#"},
    {"#####", "#...#", "#...#", "#####", "#...#", "#...#", "#####"},
    {"#####", "#...#", "#...#", "#####", "....#", "....#", "....#"},
  }},
  {{
    {"..##.", ".#..#", "#...#", "#...#", "#...#", "#..#.", ".##.."},
    {"...#.", "..##.", ".#.#.", "...#.", "...#.", "...#.", "...#."},
    {"..##.", ".#..#", "....#", "...#.", ".##..", "#....", ".####"},
    {"#####", "...#.", "..#..", "...#.", "....#", "#...#", ".###."},
    {"..#..", ".#...", ".#.#.", "#..#.", "#####", "...#.", "..#.."},
    {".####", ".#...", "####.", "....#", "....#", "...#.", "###.."},
    {"...#.", "..#..", ".#...", "#.##.", "##..#", "#...#", ".###."},
    {"#####", "....#", "...#.", ".####", "..#..", ".#...", "#...."},
    {"..##.", ".#..#", ".#.#.", "..#..", ".#.#.", "#..#.", ".##.."},
    {"..###", ".#..#", "#...#", ".####", "...#.", "...#.", "..#.."},
  }},
}};

/// How one picture is distorted. Lengths are in pixels of the picture.
struct distortion {
  double shift_x = 0;
  double shift_y = 0;
  double scale = 1;
  double angle = 0;
  double slant = 0;
  double blur = 0;
  double brightness = 1;
  double noise = 0;
};

distortion random_distortion(runtime::random_source& random) {
  distortion result;
  result.shift_x = between(random, -0.8, 0.8);
  result.shift_y = between(random, -0.6, 0.6);
  result.scale = between(random, 0.88, 1.12);
  result.angle = between(random, -10, 10) * std::numbers::pi / 180;
  result.slant = between(random, -0.15, 0.2);
  result.blur = between(random, 0, 0.12);
  result.brightness = between(random, 0.65, 1.0);
  result.noise = between(random, 0, 0.07);
  return result;
}

double ink_at(const glyph& drawn, std::ptrdiff_t column, std::ptrdiff_t row) {
  if (column < 0 || row < 0 || column >= std::ptrdiff_t{glyph_width}
      || row >= std::ptrdiff_t{glyph_height})
    return 0;
  return drawn[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)] == '#' ? 1 : 0;
}

/// The glyph between the centres of its dots, by bilinear interpolation.
double ink_between(const glyph& drawn, double column, double row) {
  const double left = std::floor(column);
  const double top = std::floor(row);
  const auto x = static_cast<std::ptrdiff_t>(left);
  const auto y = static_cast<std::ptrdiff_t>(top);
  const double right_share = column - left;
  const double low_share = row - top;
  const double upper =
    ink_at(drawn, x, y) * (1 - right_share) + ink_at(drawn, x + 1, y) * right_share;
  const double lower =
    ink_at(drawn, x, y + 1) * (1 - right_share) + ink_at(drawn, x + 1, y + 1) * right_share;
  return upper * (1 - low_share) + lower * low_share;
}

/// The ink at a point of the picture: the way back through the distortion, into the glyph.
double ink_of(const glyph& drawn, const distortion& how, double x, double y) {
  constexpr double middle = digit_side / 2.0;
  const double dx = (x - middle - how.shift_x) / how.scale;
  const double dy = (y - middle - how.shift_y) / how.scale;
  const double turned_x = std::cos(how.angle) * dx + std::sin(how.angle) * dy;
  const double turned_y = std::cos(how.angle) * dy - std::sin(how.angle) * dx;
  const double column = turned_x + how.slant * turned_y + (glyph_width - 1) / 2.0;
  return ink_between(drawn, column, turned_y + (glyph_height - 1) / 2.0);
}

/// The mean ink over a pixel.
double ink_in_pixel(const glyph& drawn, const distortion& how, std::size_t column,
                    std::size_t row) {
  constexpr int samples = 3;
  double sum = 0;
  for (int i = 0; i < samples; ++i)
    for (int j = 0; j < samples; ++j)
      sum += ink_of(drawn, how, static_cast<double>(column) + (i + 0.5) / samples,
                    static_cast<double>(row) + (j + 0.5) / samples);
  return sum / (samples * samples);
}

std::array<double, digit_pixels> blurred(const std::array<double, digit_pixels>& picture,
                                         double share) {
  std::array<double, digit_pixels> result{};
  for (std::size_t row = 0; row < digit_side; ++row)
    for (std::size_t column = 0; column < digit_side; ++column) {
      const std::size_t at = row * digit_side + column;
      const double left = column > 0 ? picture[at - 1] : 0;
      const double right = column + 1 < digit_side ? picture[at + 1] : 0;
      const double above = row > 0 ? picture[at - digit_side] : 0;
      const double below = row + 1 < digit_side ? picture[at + digit_side] : 0;
      result[at] = picture[at] * (1 - 4 * share) + (left + right + above + below) * share;
    }
  return result;
}

}  // namespace

digit_picture draw_digit(int digit, runtime::random_source& random) {
  const glyph& drawn = glyphs[random.below(hands)][static_cast<std::size_t>(digit)];
  const distortion how = random_distortion(random);
  std::array<double, digit_pixels> ink{};
  for (std::size_t row = 0; row < digit_side; ++row)
    for (std::size_t column = 0; column < digit_side; ++column)
      ink[row * digit_side + column] = ink_in_pixel(drawn, how, column, row);
  ink = blurred(ink, how.blur);
  digit_picture picture{};
  for (std::size_t index = 0; index < digit_pixels; ++index) {
    const double value = ink[index] * how.brightness + normal(random, 0, how.noise);
    picture[index] = static_cast<float>(std::round(std::clamp(value, 0.0, 1.0) * 255));
  }
  return picture;
}

}  // namespace dim::tools
