#include "config/suggestion.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace dim::config {

namespace {

/// Levenshtein's distance, row by row.
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= from.size(); ++i) {
    auto diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= to.size(); ++j) {
      auto replaced = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

}  // namespace

std::string suggestion(std::string_view word, const std::vector<std::string>& known) {
  // Beyond a third of the word's length a likeness is chance.
  auto best = std::max<std::size_t>(word.size() / 3, 1) + 1;
  std::string result;
  for (const auto& candidate : known) {
    auto far = distance(word, candidate);
    if (far < best) {
      best = far;
      result = "; did you mean " + candidate + "?";
    }
  }
  return result;
}

}  // namespace dim::config
