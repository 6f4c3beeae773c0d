#include "models/aggregate.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "models/compensated_sum.hpp"
#include "models/numbers.hpp"

namespace dim::models {

namespace {

using runtime::error_code;

/// One node's value of one element.
struct weighted_value {
  double value = 0;
  double rows = 0;
};

/// A total order up to equal values with equal weights: sums taken in it do not depend on the order
/// of the nodes. NaN comes last.
bool comes_before(const weighted_value& one, const weighted_value& other) noexcept {
  if (std::isnan(one.value) || std::isnan(other.value)) {
    if (std::isnan(one.value) != std::isnan(other.value))
      return std::isnan(other.value);
    return one.rows < other.rows;
  }
  if (one.value != other.value)
    return one.value < other.value;
  // Otherwise the least of -0 and +0 would be whichever came first.
  if (std::signbit(one.value) != std::signbit(other.value))
    return std::signbit(one.value);
  return one.rows < other.rows;
}

double mean_of(const std::vector<weighted_value>& sorted, std::size_t begin, std::size_t end) {
  double sum = 0;
  double lost = 0;
  for (std::size_t index = begin; index < end; ++index)
    add_compensated(sum, lost, sorted[index].value);
  return (sum + lost) / static_cast<double>(end - begin);
}

/// What one node with all rows would have given.
double pooled(reduction reduced, const std::vector<weighted_value>& sorted) {
  if (std::isnan(sorted.back().value))
    return sorted.back().value;
  if (reduced == reduction::min)
    return sorted.front().value;
  if (reduced == reduction::max)
    return sorted.back().value;
  double sum = 0;
  double lost = 0;
  double rows = 0;
  for (const weighted_value& each : sorted) {
    const double weight = reduced == reduction::mean ? each.rows : 1;
    if (weight > 0)
      add_compensated(sum, lost, each.value * weight);
    rows += each.rows;
  }
  return reduced == reduction::mean ? (sum + lost) / rows : sum + lost;
}

double element_of(const aggregate_plan& plan, std::vector<weighted_value> values) {
  std::sort(values.begin(), values.end(), comes_before);
  const std::size_t count = values.size();
  switch (plan.method) {
    case aggregation::weighted_mean:
      return pooled(plan.reduced, values);
    case aggregation::mean:
      return mean_of(values, 0, count);
    case aggregation::median:
      if (std::isnan(values.back().value))
        return values.back().value;
      return mean_of(values, (count - 1) / 2, count / 2 + 1);
    case aggregation::trimmed_mean: {
      const auto cut = static_cast<std::size_t>(plan.trim * static_cast<double>(count));
      return mean_of(values, cut, count - cut);
    }
  }
  return std::nan("");
}

const tensor* find_like(const tensor_list& outputs, const tensor& wanted) {
  for (const tensor& each : outputs)
    if (each.name == wanted.name && each.type == wanted.type && each.shape == wanted.shape)
      return &each;
  return nullptr;
}

/// This output of every answer, as numbers.
runtime::expected<std::vector<std::vector<double>>> gather(
  const tensor& wanted, const std::vector<const reduced_outputs*>& answers) {
  std::vector<std::vector<double>> columns;
  for (const reduced_outputs* answer : answers) {
    const tensor* found = find_like(answer->outputs, wanted);
    if (found == nullptr || answer->outputs.size() != answers.front()->outputs.size())
      return runtime::fail(error_code::bad_model,
                           "the answers do not all have the output \"" + wanted.name
                             + "\" with the same type and shape");
    auto numbers = to_doubles(*found);
    if (!numbers)
      return tl::unexpected(numbers.error());
    columns.push_back(std::move(*numbers));
  }
  return columns;
}

tensor add_counts(const tensor& like, const std::vector<std::vector<double>>& columns) {
  std::vector<std::int64_t> counts(columns.front().size());
  for (const std::vector<double>& column : columns)
    for (std::size_t element = 0; element < counts.size(); ++element)
      counts[element] += static_cast<std::int64_t>(column[element]);
  return tensor_of_integers(like.name, like.shape, counts);
}

}  // namespace

runtime::expected<tensor_list> aggregate(const aggregate_plan& plan,
                                         const std::vector<reduced_outputs>& answers) {
  if (!(plan.trim >= 0 && plan.trim < 0.5))
    return runtime::fail(error_code::bad_input, "trim must be 0 or more, and less than 0.5");
  std::vector<const reduced_outputs*> counted;
  for (const reduced_outputs& answer : answers)
    if (answer.rows > 0)
      counted.push_back(&answer);
  if (counted.empty())
    return runtime::fail(error_code::bad_input, "no node has answered with any row");
  tensor_list result;
  for (const tensor& wanted : counted.front()->outputs) {
    const auto columns = gather(wanted, counted);
    if (!columns)
      return tl::unexpected(columns.error());
    if (plan.reduced == reduction::histogram) {
      if (wanted.type != datatype::int64)
        return runtime::fail(error_code::bad_model, wanted.name + " holds no counts");
      result.push_back(add_counts(wanted, *columns));
      continue;
    }
    std::vector<double> values(columns->front().size());
    std::vector<weighted_value> nodes(counted.size());
    for (std::size_t element = 0; element < values.size(); ++element) {
      for (std::size_t node = 0; node < nodes.size(); ++node)
        nodes[node] = {(*columns)[node][element], static_cast<double>(counted[node]->rows)};
      values[element] = element_of(plan, nodes);
    }
    result.push_back(tensor_of_doubles(wanted.name, wanted.shape, values));
  }
  std::sort(result.begin(), result.end(),
            [](const tensor& a, const tensor& b) { return a.name < b.name; });
  return result;
}

}  // namespace dim::models
