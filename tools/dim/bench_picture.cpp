#include "tools/dim/bench_picture.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <vector>

namespace dim::tools {

namespace {

constexpr double width = 800;
constexpr double height = 400;
constexpr double left = 60;
constexpr double right = 780;
constexpr double top = 60;
constexpr double bottom = 350;
constexpr int bar_count = 60;

std::string escaped(const std::string& text) {
  std::string result;
  for (auto letter : text) {
    if (letter == '<')
      result += "&lt;";
    else if (letter == '&')
      result += "&amp;";
    else
      result += letter;
  }
  return result;
}

std::string number(double value, int digits = 6) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*g", digits, value);
  return text.data();
}

/// To a tenth of a percent.
std::string duration(double nanoseconds) {
  // So many digits that "%g" never takes an exponent: below a unit there are at most 1,000.
  constexpr int digits = 4;
  if (nanoseconds < 1e6)
    return number(nanoseconds / 1e3, digits) + " us";
  return nanoseconds < 1e9 ? number(nanoseconds / 1e6, digits) + " ms"
                           : number(nanoseconds / 1e9, digits) + " s";
}

/// Text with a white edge, by which it can be read over lines and bars.
std::string text_at(double x, double y, const std::string& anchor, const std::string& text) {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor
         + "\" stroke=\"white\" stroke-width=\"3\" paint-order=\"stroke\">" + escaped(text)
         + "</text>\n";
}

std::string line(double x1, double y1, double x2, double y2, const std::string& paint) {
  return "<line x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2)
         + "\" y2=\"" + number(y2) + "\" stroke=\"" + paint + "\"/>\n";
}

/// Latency to place: logarithmic, from a little below the shortest to a little above the longest.
struct axis {
  double low = 0;
  double high = 1;

  explicit axis(const latency_histogram& latencies)
    : low(std::log10(std::max<double>(static_cast<double>(latencies.min_ns()), 1'000) / 1.1)),
      high(std::max(std::log10(static_cast<double>(latencies.max_ns()) * 1.1 + 1), low + 0.2)) {
  }
  double share_of(double nanoseconds) const {
    return std::clamp((std::log10(std::max(nanoseconds, 1.0)) - low) / (high - low), 0.0, 1.0);
  }
  double place_of(double nanoseconds) const {
    return left + share_of(nanoseconds) * (right - left);
  }
};

/// 1, 2, 5, 10, 20, ... of them that lie on the axis.
std::vector<double> powers_on(const axis& along) {
  std::vector<double> result;
  for (auto power = std::floor(along.low); power <= along.high; ++power)
    for (auto step : {1.0, 2.0, 5.0}) {
      auto value = step * std::pow(10.0, power);
      if (std::log10(value) >= along.low && std::log10(value) <= along.high)
        result.push_back(value);
    }
  return result;
}

/// The largest of 1, 2, 5, 10, 20, ... that is not above `value`.
double round_below(double value) {
  auto power = std::pow(10.0, std::floor(std::log10(value)));
  for (auto step : {5.0, 2.0})
    if (step * power <= value)
      return step * power;
  return power;
}

/// Values with the same distance, four to ten of them.
std::vector<double> steps_on(const axis& along) {
  auto low = std::pow(10.0, along.low);
  auto high = std::pow(10.0, along.high);
  auto step = round_below((high - low) / 4);
  std::vector<double> result;
  for (auto count = std::ceil(low / step); count * step <= high; ++count)
    result.push_back(count * step);
  return result;
}

std::string ticks(const axis& along) {
  constexpr double decade = 1;
  std::string result;
  for (auto value : along.high - along.low < decade ? steps_on(along) : powers_on(along)) {
    auto x = along.place_of(value);
    result += line(x, bottom, x, bottom + 5, "#444") + text_at(x, bottom + 20, "middle",
                                                               duration(value));
  }
  return result;
}

/// How many answers lie behind each bar.
std::vector<double> counts_of(const latency_histogram& latencies, const axis& along) {
  std::vector<double> counts(bar_count);
  for (auto& bucket : latencies.buckets()) {
    auto middle = static_cast<double>(bucket.from_ns + bucket.to_ns) / 2;
    auto index = static_cast<int>(along.share_of(middle) * bar_count);
    counts[static_cast<std::size_t>(std::min(index, bar_count - 1))] +=
      static_cast<double>(bucket.count);
  }
  return counts;
}

std::string bars(const latency_histogram& latencies, const axis& along) {
  auto counts = counts_of(latencies, along);
  auto highest = *std::max_element(counts.begin(), counts.end());
  auto wide = (right - left) / bar_count;
  auto result = line(left, top, left, bottom, "#444") + line(left - 5, top, left, top, "#444")
                + text_at(left - 8, top + 4, "end", number(highest))
                + text_at(left - 8, bottom + 4, "end", "0")
                + text_at(left, top - 10, "middle", "answers");
  for (int index = 0; index < bar_count; ++index) {
    auto high = counts[static_cast<std::size_t>(index)] / highest * (bottom - top);
    if (high > 0)
      result += "<rect x=\"" + number(left + index * wide) + "\" y=\"" + number(bottom - high)
                + "\" width=\"" + number(wide - 1) + "\" height=\"" + number(high)
                + "\" fill=\"#4a7ebb\"/>\n";
  }
  return result;
}

std::string quantiles(const latency_histogram& latencies, const axis& along) {
  struct mark {
    const char* name;
    double share;
  };
  constexpr std::array<mark, 4> marks{
    {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}}};
  std::string lines;
  std::string names;
  auto row = 0;
  for (auto& [name, share] : marks) {
    auto value = latencies.quantile_ns(share);
    auto x = along.place_of(value);
    // One below the other, because they may stand close together.
    auto y = top + 12 + 16 * row++;
    auto is_far_right = x > (left + right) / 2;
    lines += line(x, top, x, bottom, "#c0504d");
    names += text_at(is_far_right ? x - 4 : x + 4, y, is_far_right ? "end" : "start",
                     std::string{name} + " " + duration(value));
  }
  return lines + names;
}

}  // namespace

std::string latency_picture(const latency_histogram& latencies, const std::string& title) {
  std::string result = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + number(width)
                       + "\" height=\"" + number(height)
                       + "\" font-family=\"sans-serif\" font-size=\"12\">\n"
                         "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
  result += text_at(left, 30, "start", title);
  if (latencies.count() == 0) {
    result += text_at(left, top + 20, "start", "no answers");
  } else {
    axis along{latencies};
    result += bars(latencies, along) + quantiles(latencies, along) + ticks(along)
              + line(left, bottom, right, bottom, "#444");
    result += text_at((left + right) / 2, bottom + 42, "middle",
                      "latency, of " + std::to_string(latencies.count()) + " answers");
  }
  return result + "</svg>\n";
}

}  // namespace dim::tools
