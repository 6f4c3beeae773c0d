#include "models/reduce.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "models/compensated_sum.hpp"
#include "models/numbers.hpp"

namespace dim::models {

namespace {

using runtime::error_code;

/// The lesser or greater of two values; NaN when either is.
double extreme_of(reduction kind, double one, double other) noexcept {
  if (std::isnan(one) || std::isnan(other))
    return std::nan("");
  return kind == reduction::min ? std::min(one, other) : std::max(one, other);
}

std::vector<std::int64_t> row_shape_of(const tensor& x, bool batched) {
  std::vector<std::int64_t> shape = x.shape;
  if (batched)
    shape.erase(shape.begin());
  return shape;
}

}  // namespace

runtime::expected<row_reducer> row_reducer::create(const reduce_plan& plan, bool batched) {
  if (plan.kind == reduction::histogram) {
    if (plan.bins < 1 || plan.bins > histogram_bins_max)
      return runtime::fail(error_code::bad_input, "a histogram has 1 to 10000 bins");
    if (!std::isfinite(plan.high - plan.low) || plan.low >= plan.high)
      return runtime::fail(error_code::bad_input,
                           "a histogram needs finite bounds, the lower below the upper");
  }
  return row_reducer{plan, batched};
}

runtime::expected<void> row_reducer::add(const tensor_list& outputs) {
  const auto rows = check(outputs);
  if (!rows)
    return tl::unexpected(rows.error());
  std::vector<std::vector<double>> numbers;
  for (const tensor& output : outputs) {
    auto values = to_doubles(output);
    if (!values)
      return tl::unexpected(values.error());
    numbers.push_back(std::move(*values));
  }
  if (columns_.empty())
    for (const tensor& output : outputs)
      columns_.push_back(
        {output.name, row_shape_of(output, batched_), {}, {},
         std::vector<std::int64_t>(plan_.kind == reduction::histogram ? plan_.bins : 0),
         std::vector<std::int64_t>(plan_.kind == reduction::histogram ? 3 : 0)});
  for (std::size_t index = 0; index < columns_.size(); ++index)
    add_numbers(columns_[index], numbers[index], *rows);
  rows_ += *rows;
  return {};
}

runtime::expected<std::uint64_t> row_reducer::check(const tensor_list& outputs) const {
  std::int64_t rows = 1;
  for (std::size_t index = 0; index < outputs.size(); ++index) {
    const tensor& output = outputs[index];
    if (batched_ && (output.shape.empty() || output.shape.front() < 0))
      return runtime::fail(error_code::bad_model, output.name + " has no dimension of rows");
    if (batched_ && index > 0 && output.shape.front() != rows)
      return runtime::fail(error_code::bad_model,
                           output.name + " has another number of rows than "
                             + outputs.front().name);
    if (batched_)
      rows = output.shape.front();
    if (columns_.empty())
      continue;
    if (outputs.size() != columns_.size() || output.name != columns_[index].name
        || row_shape_of(output, batched_) != columns_[index].row_shape)
      return runtime::fail(error_code::bad_model,
                           output.name + " has another name or shape than in the rows before");
  }
  if (outputs.empty())
    return runtime::fail(error_code::bad_model, "there are no outputs to reduce");
  return static_cast<std::uint64_t>(rows);
}

void row_reducer::add_numbers(column& target, const std::vector<double>& numbers,
                              std::uint64_t rows) const {
  if (plan_.kind == reduction::histogram) {
    for (const double value : numbers)
      count_number(target, value);
    return;
  }
  if (rows == 0)
    return;
  const std::size_t width = numbers.size() / rows;
  const bool is_sum = plan_.kind == reduction::mean || plan_.kind == reduction::sum;
  std::size_t row = 0;
  if (target.values.empty()) {
    target.values.assign(numbers.begin(), numbers.begin() + static_cast<std::ptrdiff_t>(width));
    target.lost.assign(width, 0.0);
    row = 1;
  }
  for (; row < rows; ++row)
    for (std::size_t element = 0; element < width; ++element) {
      const double value = numbers[row * width + element];
      if (is_sum)
        add_compensated(target.values[element], target.lost[element], value);
      else
        target.values[element] = extreme_of(plan_.kind, target.values[element], value);
    }
}

void row_reducer::count_number(column& target, double value) const {
  if (std::isnan(value)) {
    ++target.outside[2];
  } else if (value < plan_.low) {
    ++target.outside[0];
  } else if (value > plan_.high) {
    ++target.outside[1];
  } else {
    const double place = (value - plan_.low) / (plan_.high - plan_.low) * plan_.bins;
    ++target.counts[std::min<std::size_t>(static_cast<std::size_t>(place), plan_.bins - 1)];
  }
}

runtime::expected<reduced_outputs> row_reducer::finish() const {
  if (rows_ == 0)
    return runtime::fail(error_code::bad_input, "there are no rows to reduce");
  reduced_outputs result;
  result.rows = rows_;
  for (const column& each : columns_) {
    if (plan_.kind == reduction::histogram) {
      result.outputs.push_back(tensor_of_integers(each.name, {plan_.bins}, each.counts));
      result.outputs.push_back(tensor_of_integers(each.name + ".outside", {3}, each.outside));
      continue;
    }
    std::vector<double> values = each.values;
    for (std::size_t element = 0; element < values.size(); ++element) {
      values[element] += each.lost[element];
      if (plan_.kind == reduction::mean)
        values[element] /= static_cast<double>(rows_);
    }
    const auto shape = each.row_shape.empty() ? std::vector<std::int64_t>{1} : each.row_shape;
    result.outputs.push_back(tensor_of_doubles(each.name, shape, values));
  }
  return result;
}

}  // namespace dim::models
