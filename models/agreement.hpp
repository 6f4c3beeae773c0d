#pragma once

#include <cstdint>

#include "models/model_spec.hpp"
#include "models/tensor.hpp"

/// Comparing the outputs of two nodes that had the same input (replicated pattern).
///
/// The tensor comparison is the class `f32` for FP32 results without TF32: honest machines differ
/// by a relative L2 of about 1e-6, the closest fraud by 5e-4. Digests and units in the last place
/// can not tell the two apart, so it compares the numbers themselves, as a whole, one by one, and
/// by what they decide.
namespace dim::models {

/// How outputs are compared.
enum class comparison : std::uint8_t {
  exact,   ///< Equal canonical digests.
  tensor,  ///< Equal within tolerance; integers, booleans and BYTES exactly.
  label,   ///< The same labels, or both within a near tie.
};

/// The limits of `tensor` and `label`.
struct agreement_limits {
  /// Of |a - b| to the mean of |a| and |b|, all as L2 norms over one tensor.
  double relative_l2 = 1e-4;
  /// Of one element's difference: this times the root mean square of the tensor, plus this times
  /// the element.
  double element = 1e-4;
  /// A row's argmax must be equal when its margin is more than 4 times `element` times the root
  /// mean square of the tensor.
  double decision_factor = 4;
  /// label: scores closer to the row's best than this times the root mean square of the tensor are
  /// tied with it.
  double near_tie = 1e-2;
};

struct agreement {
  bool agree = false;
  /// 0 for equal, larger for more different, infinite where no number can be given (other names,
  /// shapes, or non-finite places). tensor: the greatest relative L2 of the tensors. exact: 0 or 1.
  /// label: the share of rows with another label.
  double distance = 0;
};

/// Compares two answers; symmetric in them. `spec` tells `label` which output holds class scores;
/// an empty spec lets it take the first output that can. Tensors with equal digests are equal, so
/// digests must have been checked by whoever received them. Detached tensors with other digests,
/// and broken ones, never agree.
agreement compare_outputs(comparison method, const tensor_list& one, const tensor_list& other,
                          const model_spec& spec = {}, const agreement_limits& limits = {});

/// What is compared where the submitter did not say: `tensor` when any output is floating point,
/// else `exact`.
comparison default_comparison(const tensor_list& outputs) noexcept;

}  // namespace dim::models
