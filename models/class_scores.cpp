#include "models/class_scores.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "models/numbers.hpp"

namespace dim::models {

namespace {

using runtime::error_code;

bool may_hold_scores(const tensor& x) {
  return is_floating(x.type) && !x.shape.empty() && x.shape.back() >= 2;
}

bool is_integer(datatype type) noexcept {
  return type != datatype::bytes && type != datatype::boolean && !is_floating(type);
}

const tensor_spec* find_output(const model_spec& spec, const std::string& name) {
  for (const tensor_spec& each : spec.outputs)
    if (each.name == name)
      return &each;
  return nullptr;
}

runtime::expected<std::vector<double>> numbers_of(const tensor& x) {
  if (x.is_detached())
    return runtime::fail(error_code::bad_input, x.name + " came without its bytes");
  return to_doubles(x);
}

/// A model may also answer with the label itself, as a number.
runtime::expected<std::vector<std::string>> integer_labels(const tensor_list& outputs) {
  const auto found = std::find_if(outputs.begin(), outputs.end(),
                                  [](const tensor& each) { return is_integer(each.type); });
  if (found == outputs.end())
    return runtime::fail(error_code::bad_model, "no output holds class scores or whole numbers");
  const auto numbers = numbers_of(*found);
  if (!numbers)
    return tl::unexpected(numbers.error());
  std::vector<std::string> labels;
  for (const double number : *numbers)
    labels.push_back(std::to_string(static_cast<std::int64_t>(number)));
  return labels;
}

}  // namespace

best_class best_class_of(const std::vector<double>& scores, std::size_t begin,
                         std::size_t classes) noexcept {
  const auto rank = [&](std::size_t index) {
    const double score = scores[begin + index];
    return std::isnan(score) ? -std::numeric_limits<double>::infinity() : score;
  };
  best_class best;
  double second = -std::numeric_limits<double>::infinity();
  for (std::size_t index = 1; index < classes; ++index) {
    if (rank(index) > rank(best.index)) {
      second = rank(best.index);
      best.index = index;
    } else {
      second = std::max(second, rank(index));
    }
  }
  // Two equal infinities have no difference.
  best.margin = rank(best.index) == second ? 0 : rank(best.index) - second;
  return best;
}

std::optional<std::size_t> class_scores_of(const tensor_list& outputs, const model_spec& spec) {
  for (std::size_t index = 0; index < outputs.size(); ++index) {
    const tensor_spec* declared = find_output(spec, outputs[index].name);
    if (declared != nullptr && !declared->labels.empty() && may_hold_scores(outputs[index]))
      return index;
  }
  for (std::size_t index = 0; index < outputs.size(); ++index)
    if (may_hold_scores(outputs[index]))
      return index;
  return std::nullopt;
}

runtime::expected<std::vector<std::string>> labels_of(const tensor_list& outputs,
                                                      const model_spec& spec) {
  const auto index = class_scores_of(outputs, spec);
  if (!index)
    return integer_labels(outputs);
  const tensor& scores = outputs[*index];
  const auto numbers = numbers_of(scores);
  if (!numbers)
    return tl::unexpected(numbers.error());
  const auto classes = static_cast<std::size_t>(scores.shape.back());
  const tensor_spec* declared = find_output(spec, scores.name);
  const bool has_labels = declared != nullptr && !declared->labels.empty();
  if (has_labels && declared->labels.size() < classes)
    return runtime::fail(error_code::bad_model,
                         scores.name + " has more classes than declared labels");
  std::vector<std::string> labels;
  for (std::size_t begin = 0; begin < numbers->size(); begin += classes) {
    const std::size_t best = best_class_of(*numbers, begin, classes).index;
    labels.push_back(has_labels ? declared->labels[best] : std::to_string(best));
  }
  return labels;
}

runtime::expected<std::string> label_of(const tensor_list& outputs, const model_spec& spec) {
  const auto labels = labels_of(outputs, spec);
  if (!labels)
    return tl::unexpected(labels.error());
  std::string text;
  for (std::size_t row = 0; row < labels->size(); ++row)
    text += (row == 0 ? "" : ",") + (*labels)[row];
  return text;
}

}  // namespace dim::models
