#pragma once

#include <string>
#include <vector>

#include "actors/job/job_record.hpp"

/// The vote of several models on a label (comparative pattern).
namespace dim::actors {

struct cast_vote {
  std::string label;
  /// Counts under `weighted`; every vote counts as 1 under `majority`.
  double weight = 1.0;
};

struct vote_outcome {
  /// The label with the most votes, or the greatest sum of weights; empty without votes.
  std::string label;
  /// Another label got as much: nobody has won. Sums of weights that differ by no more than
  /// rounding (a billionth of the total) are equal.
  bool tied = false;
  /// The share of `label` in all votes cast, by count or by weight.
  double share = 0.0;
};

/// Counts the votes. The label is that with the most votes, which need not be more than half of
/// them; of tied labels the lowest is named. Weights below 0 and not-a-number count as 0.
vote_outcome count_votes(vote_method method, const std::vector<cast_vote>& votes);

}  // namespace dim::actors
