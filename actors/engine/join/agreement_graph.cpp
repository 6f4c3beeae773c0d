#include "actors/engine/join/agreement_graph.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace dim::actors {

void agreement_graph::add(std::string digest, const comparator& compare) {
  const auto added = digests_.size();
  const auto twin = first_with(digest);
  std::vector<models::agreement> row;
  if (twin < added) {
    row = compared_[twin];
  } else {
    for (std::size_t index = 0; index < added; ++index) {
      const auto first = first_with(digests_[index]);
      row.push_back(first < index ? row[first] : compare(first, added));
    }
  }
  row.push_back({true, 0.0});
  for (std::size_t index = 0; index < added; ++index)
    compared_[index].push_back(row[index]);
  compared_.push_back(std::move(row));
  digests_.push_back(std::move(digest));
}

std::size_t agreement_graph::first_with(const std::string& digest) const noexcept {
  auto found = std::find(digests_.begin(), digests_.end(), digest);
  return static_cast<std::size_t>(found - digests_.begin());
}

quorum agreement_graph::find() const {
  quorum best;
  if (digests_.empty())
    return best;
  const auto rank = [this](std::size_t index) {
    return std::tuple{-static_cast<std::ptrdiff_t>(support_of(index)), distance_sum(index),
                      std::string_view{digests_[index]}};
  };
  auto best_rank = rank(0);
  for (std::size_t index = 1; index < digests_.size(); ++index) {
    auto other = rank(index);
    if (other < best_rank) {
      best_rank = other;
      best.canonical = index;
    }
  }
  best.support = support_of(best.canonical);
  for (auto& pair : compared_[best.canonical])
    best.agrees.push_back(pair.agree);
  return best;
}

std::size_t agreement_graph::support_of(std::size_t index) const {
  auto& row = compared_[index];
  return static_cast<std::size_t>(
    std::count_if(row.begin(), row.end(), [](auto& pair) { return pair.agree; }));
}

double agreement_graph::distance_sum(std::size_t index) const {
  double sum = 0;
  for (auto& pair : compared_[index])
    if (pair.agree)
      sum += pair.distance;
  return sum;
}

}  // namespace dim::actors
