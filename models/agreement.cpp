#include "models/agreement.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "models/class_scores.hpp"
#include "models/numbers.hpp"

namespace dim::models {

namespace {

constexpr agreement never{false, std::numeric_limits<double>::infinity()};

bool has_same_form(const tensor& one, const tensor& other) {
  return one.name == other.name && one.type == other.type && one.shape == other.shape;
}

/// Both infinite with the same sign, or both NaN.
bool is_same_non_finite(double one, double other) noexcept {
  return std::isnan(one) ? std::isnan(other) : one == other;
}

/// What a comparison of two tensors needs to know of them as wholes.
struct norms {
  bool same_places = true;  ///< Non-finite elements stand in the same places.
  double difference = 0;    ///< L2 norm of the difference.
  double mean_norm = 0;     ///< Mean of the two L2 norms.
  double mean_square = 0;   ///< Mean of the two root mean squares.
};

norms norms_of(const std::vector<double>& one, const std::vector<double>& other) {
  norms result;
  double square_one = 0;
  double square_other = 0;
  double square_difference = 0;
  std::size_t finite = 0;
  for (std::size_t index = 0; index < one.size(); ++index) {
    const double a = one[index];
    const double b = other[index];
    if (!std::isfinite(a) || !std::isfinite(b)) {
      result.same_places = result.same_places && is_same_non_finite(a, b);
      continue;
    }
    ++finite;
    square_one += a * a;
    square_other += b * b;
    square_difference += (a - b) * (a - b);
  }
  result.difference = std::sqrt(square_difference);
  result.mean_norm = (std::sqrt(square_one) + std::sqrt(square_other)) / 2;
  if (finite > 0)
    result.mean_square = result.mean_norm / std::sqrt(static_cast<double>(finite));
  return result;
}

bool elements_agree(const std::vector<double>& one, const std::vector<double>& other,
                    double mean_square, const agreement_limits& limits) {
  for (std::size_t index = 0; index < one.size(); ++index) {
    const double a = one[index];
    const double b = other[index];
    if (!std::isfinite(a))
      continue;
    const double size = (std::abs(a) + std::abs(b)) / 2;
    if (std::abs(a - b) > limits.element * (mean_square + size))
      return false;
  }
  return true;
}

/// Every row decides alike, unless both rows are too close to call.
bool decisions_agree(const std::vector<double>& one, const std::vector<double>& other,
                     std::size_t classes, double margin_max) {
  if (classes < 2)
    return true;
  for (std::size_t begin = 0; begin + classes <= one.size(); begin += classes) {
    const best_class a = best_class_of(one, begin, classes);
    const best_class b = best_class_of(other, begin, classes);
    if (a.index != b.index && (a.margin > margin_max || b.margin > margin_max))
      return false;
  }
  return true;
}

std::vector<const tensor*> sorted_by_name(const tensor_list& tensors) {
  std::vector<const tensor*> sorted;
  for (const tensor& each : tensors)
    sorted.push_back(&each);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const tensor* a, const tensor* b) { return a->name < b->name; });
  return sorted;
}

/// Equal by their digests, whether their bytes are here or not.
bool has_same_bytes(const tensor& one, const tensor& other) {
  return has_same_form(one, other) && !one.digest.empty() && one.digest == other.digest;
}

agreement compare_exactly(const tensor_list& one, const tensor_list& other) {
  const auto a = sorted_by_name(one);
  const auto b = sorted_by_name(other);
  const bool is_equal =
    std::equal(a.begin(), a.end(), b.begin(), b.end(),
               [](const tensor* x, const tensor* y) { return has_same_bytes(*x, *y); })
    || canonical_digest(one) == canonical_digest(other);
  return {is_equal, is_equal ? 0.0 : 1.0};
}

agreement compare_floats(const tensor& one, const tensor& other, const agreement_limits& limits) {
  const auto a = to_doubles(one);
  const auto b = to_doubles(other);
  if (!a || !b)
    return never;
  const norms whole = norms_of(*a, *b);
  if (!whole.same_places)
    return never;
  const double distance = whole.difference == 0 ? 0 : whole.difference / whole.mean_norm;
  if (std::isnan(distance))
    return never;
  const std::size_t classes = one.shape.empty() ? 1 : static_cast<std::size_t>(one.shape.back());
  const bool agree =
    distance <= limits.relative_l2 && elements_agree(*a, *b, whole.mean_square, limits)
    && decisions_agree(*a, *b, classes,
                       limits.decision_factor * limits.element * whole.mean_square);
  return {agree, distance};
}

agreement compare_one(const tensor& one, const tensor& other, const agreement_limits& limits) {
  if (!has_same_form(one, other))
    return never;
  if (has_same_bytes(one, other))
    return {true, 0};
  if (one.is_detached() || other.is_detached())
    return never;
  return is_floating(one.type) ? compare_floats(one, other, limits)
                               : compare_exactly({one}, {other});
}

agreement compare_tensors(const tensor_list& one, const tensor_list& other,
                          const agreement_limits& limits) {
  if (one.size() != other.size())
    return never;
  const auto a = sorted_by_name(one);
  const auto b = sorted_by_name(other);
  agreement result{true, 0};
  for (std::size_t index = 0; index < a.size(); ++index) {
    const agreement part = compare_one(*a[index], *b[index], limits);
    result.agree = result.agree && part.agree;
    result.distance = std::max(result.distance, part.distance);
  }
  return result;
}

/// Whether each row's best class of one answer is within a near tie of the other's.
agreement compare_scores(const tensor& one, const tensor& other, const agreement_limits& limits) {
  const auto a = to_doubles(one);
  const auto b = to_doubles(other);
  if (!a || !b || !has_same_form(one, other) || a->empty())
    return never;
  const auto classes = static_cast<std::size_t>(one.shape.back());
  const double tie = limits.near_tie * norms_of(*a, *b).mean_square;
  std::size_t different = 0;
  bool agree = true;
  for (std::size_t begin = 0; begin < a->size(); begin += classes) {
    const std::size_t best_a = best_class_of(*a, begin, classes).index;
    const std::size_t best_b = best_class_of(*b, begin, classes).index;
    if (best_a == best_b)
      continue;
    ++different;
    agree = agree && (*a)[begin + best_a] - (*a)[begin + best_b] < tie
            && (*b)[begin + best_b] - (*b)[begin + best_a] < tie;
  }
  return {agree, static_cast<double>(different) / static_cast<double>(a->size() / classes)};
}

agreement compare_labels(const tensor_list& one, const tensor_list& other, const model_spec& spec,
                         const agreement_limits& limits) {
  const auto scores_one = class_scores_of(one, spec);
  const auto scores_other = class_scores_of(other, spec);
  if (scores_one && scores_other)
    return compare_scores(one[*scores_one], other[*scores_other], limits);
  const auto labels_one = labels_of(one, spec);
  const auto labels_other = labels_of(other, spec);
  if (!labels_one || !labels_other || labels_one->size() != labels_other->size()
      || labels_one->empty())
    return never;
  std::size_t different = 0;
  for (std::size_t row = 0; row < labels_one->size(); ++row)
    different += (*labels_one)[row] != (*labels_other)[row] ? 1 : 0;
  return {different == 0,
          static_cast<double>(different) / static_cast<double>(labels_one->size())};
}

}  // namespace

agreement compare_outputs(comparison method, const tensor_list& one, const tensor_list& other,
                          const model_spec& spec, const agreement_limits& limits) {
  switch (method) {
    case comparison::exact:
      return compare_exactly(one, other);
    case comparison::tensor:
      return compare_tensors(one, other, limits);
    case comparison::label:
      return compare_labels(one, other, spec, limits);
  }
  return never;
}

comparison default_comparison(const tensor_list& outputs) noexcept {
  const bool has_floats = std::any_of(outputs.begin(), outputs.end(),
                                      [](const tensor& each) { return is_floating(each.type); });
  return has_floats ? comparison::tensor : comparison::exact;
}

}  // namespace dim::models
