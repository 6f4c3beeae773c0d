#pragma once

#include <cstdint>
#include <vector>

#include "models/reduce.hpp"
#include "models/tensor.hpp"
#include "runtime/errors.hpp"

/// Joining the reduced outputs of several nodes (collaborative pattern).
namespace dim::models {

/// In the order of `actors::aggregation`.
enum class aggregation : std::uint8_t { weighted_mean, mean, median, trimmed_mean };

struct aggregate_plan {
  aggregation method = aggregation::weighted_mean;
  /// What the nodes did over their rows.
  reduction reduced = reduction::mean;
  /// trimmed_mean: the share of the nodes cut from each side, 0 up to but not including 0.5; what
  /// is cut is floor(share x nodes).
  double trim = 0.2;
};

/// Aggregates the answers of the nodes element by element.
///
/// `weighted_mean` gives what one node that held all rows would have given: means are weighted by
/// their rows, sums and histogram counts are added, of least values the least is taken, of greatest
/// the greatest. `mean`, `median` and `trimmed_mean` take each node's value as one number, whatever
/// its rows; the median of an even number is the mean of the middle two. Histogram counts are added
/// by every method.
///
/// All sums are FP64, compensated, and taken in the order of the values, so that the answer does
/// not depend on the order of the nodes. Answers without rows are left out. The outputs come sorted
/// by name; they are FP64, or INT64 for histograms. Errors: bad_input (no answer with rows, trim
/// out of range), bad_model (the answers have different names, types or shapes), unsupported
/// (BYTES).
runtime::expected<tensor_list> aggregate(const aggregate_plan& plan,
                                         const std::vector<reduced_outputs>& answers);

}  // namespace dim::models
