#include "config/suggestion.hpp"

#include <algorithm>
#include <numeric>

namespace dim::config {

namespace {

/// Changed, missing, extra and swapped characters between two words (optimal string alignment).
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::vector<std::size_t>> cell(from.size() + 1,
                                             std::vector<std::size_t>(to.size() + 1));
  std::iota(cell[0].begin(), cell[0].end(), std::size_t{0});
  for (std::size_t i = 1; i <= from.size(); ++i) {
    cell[i][0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const auto changed = cell[i - 1][j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
      cell[i][j] = std::min({cell[i - 1][j] + 1, cell[i][j - 1] + 1, changed});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
        cell[i][j] = std::min(cell[i][j], cell[i - 2][j - 2] + 1);
    }
  }
  return cell.back().back();
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
