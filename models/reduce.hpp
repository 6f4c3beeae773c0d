#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/tensor.hpp"
#include "runtime/errors.hpp"

/// Reducing outputs over the rows of one node (collaborative pattern). Only what comes out here
/// leaves the node.
namespace dim::models {

/// In the order of `actors::reduction`.
enum class reduction : std::uint8_t { mean, sum, min, max, histogram };

/// How a node reduces every output over its rows.
struct reduce_plan {
  reduction kind = reduction::mean;
  /// histogram: this many bins of equal width over [low, high].
  std::uint32_t bins = 10;
  double low = 0.0;
  double high = 1.0;
};

/// The largest number of bins that a plan may ask for.
inline constexpr std::uint32_t histogram_bins_max = 10'000;

/// Reduced outputs and the number of rows behind them.
struct reduced_outputs {
  tensor_list outputs;
  std::uint64_t rows = 0;
};

/// Takes outputs batch by batch and keeps only sums: its memory does not grow with the rows.
///
/// `mean`, `sum`, `min` and `max` go element by element over the rows and give FP64 tensors of the
/// row's shape ([1] for rows without dimensions). Sums are compensated (Neumaier 1974), so that
/// their error does not grow with the rows. A NaN in a column makes its result NaN.
///
/// `histogram` counts all elements of an output, whatever their place in the row: INT64 `<name>` of
/// shape [bins], where a bin holds its lower bound and the last one also `high`, and INT64
/// `<name>.outside` of shape [3]: below `low`, above `high`, NaN.
class row_reducer {
public:
  /// `batched`: the first dimension of every output is its rows; else each output is one row.
  /// Errors: bad_input (bins 0 or too many, bounds not finite or low >= high).
  static runtime::expected<row_reducer> create(const reduce_plan& plan, bool batched);

  /// Adds the outputs of one forward. Errors, which leave the reducer as it was: unsupported
  /// (BYTES), bad_model (outputs with different rows, or other names or row shapes than before),
  /// bad_input (detached, or data of the wrong size).
  runtime::expected<void> add(const tensor_list& outputs);

  std::uint64_t rows() const noexcept {
    return rows_;
  }

  /// The reduced outputs, in the order of the outputs. Errors: bad_input (no row was added).
  runtime::expected<reduced_outputs> finish() const;

private:
  struct column {
    std::string name;
    std::vector<std::int64_t> row_shape;
    /// Element by element: the sum, or the least or greatest value.
    std::vector<double> values;
    /// Element by element: what the sum has lost by rounding.
    std::vector<double> lost;
    std::vector<std::int64_t> counts;
    std::vector<std::int64_t> outside;
  };

  row_reducer(const reduce_plan& plan, bool batched) : plan_(plan), batched_(batched) {
  }
  runtime::expected<std::uint64_t> check(const tensor_list& outputs) const;
  void add_numbers(column& target, const std::vector<double>& numbers, std::uint64_t rows) const;
  void count_number(column& target, double value) const;

  reduce_plan plan_;
  bool batched_ = true;
  std::vector<column> columns_;
  std::uint64_t rows_ = 0;
};

}  // namespace dim::models
