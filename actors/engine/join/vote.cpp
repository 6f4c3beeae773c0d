#include "actors/engine/join/vote.hpp"

#include <map>

namespace dim::actors {

vote_outcome count_votes(vote_method method, const std::vector<cast_vote>& votes) {
  std::map<std::string, double> sums;
  double total = 0;
  for (auto& vote : votes) {
    const auto positive = vote.weight > 0 ? vote.weight : 0.0;
    const auto weight = method == vote_method::weighted ? positive : 1.0;
    sums[vote.label] += weight;
    total += weight;
  }
  vote_outcome outcome;
  double best = -1;
  for (auto& [label, sum] : sums)
    if (sum > best + total * 1e-9) {
      best = sum;
      outcome.label = label;
    }
  int winners = 0;
  for (auto& [label, sum] : sums)
    winners += sum >= best - total * 1e-9;
  outcome.tied = winners > 1;
  outcome.share = total > 0 ? best / total : 0.0;
  return outcome;
}

}  // namespace dim::actors
