#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "models/model_spec.hpp"
#include "models/tensor.hpp"
#include "runtime/errors.hpp"

/// Reading labels out of class scores.
namespace dim::models {

/// The best class of one row of scores.
struct best_class {
  /// The first of equal ones; NaN counts as less than every number.
  std::size_t index = 0;
  /// How far it is ahead of the next best; 0 when it is NaN, infinite when all others are.
  double margin = 0;
};

/// The best of the `classes` scores that begin at `begin`; `classes` is 1 or more.
best_class best_class_of(const std::vector<double>& scores, std::size_t begin,
                         std::size_t classes) noexcept;

/// The index of the output that holds class scores: the first one declared with labels, else the
/// first floating-point output whose last dimension is 2 or more. Nothing when there is none.
std::optional<std::size_t> class_scores_of(const tensor_list& outputs, const model_spec& spec);

/// The label of every row of the class scores: the declared label of the best class, or its index
/// as text. Without class scores, the elements of the first integer output as text. Errors:
/// bad_model (no output to read a label from, or fewer labels than classes), bad_input (detached or
/// broken data).
runtime::expected<std::vector<std::string>> labels_of(const tensor_list& outputs,
                                                      const model_spec& spec);

/// `labels_of`, joined with commas: the whole answer as one vote.
runtime::expected<std::string> label_of(const tensor_list& outputs, const model_spec& spec);

}  // namespace dim::models
