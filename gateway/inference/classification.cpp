#include "gateway/inference/classification.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <numeric>
#include <string>
#include <type_traits>

#include "models/numbers.hpp"

namespace dim::gateway {

namespace {

/// A stored element as a number that can be compared and written.
template <class T>
auto to_number(T element) {
  if constexpr (std::is_same_v<T, models::fp16_bits>)
    return models::from_fp16(static_cast<std::uint16_t>(element));
  else if constexpr (std::is_same_v<T, models::bf16_bits>)
    return models::from_bf16(static_cast<std::uint16_t>(element));
  else
    return element;
}

template <class Number>
bool is_better(Number left, Number right) {
  if constexpr (std::is_floating_point_v<Number>)
    if (std::isnan(left) || std::isnan(right))
      return !std::isnan(left);
  return left > right;
}

template <class Number>
std::string class_text(Number value, std::size_t index, const std::vector<std::string>& labels) {
  char digits[32];
  std::string text{digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
  text += ':' + std::to_string(index);
  if (index < labels.size() && !labels[index].empty())
    text += ':' + labels[index];
  return text;
}

void append_text(std::vector<char>& data, const std::string& text) {
  for (int shift = 0; shift < 32; shift += 8)
    data.push_back(static_cast<char>((text.size() >> shift) & 0xff));
  data.insert(data.end(), text.begin(), text.end());
}

/// Appends the best `count` of the elements in `row`.
template <class T>
void append_best(std::vector<char>& data, std::string_view row, std::size_t count,
                 const std::vector<std::string>& labels) {
  auto at = [row](std::size_t index) {
    T element;
    std::memcpy(&element, row.data() + index * sizeof(T), sizeof(T));
    return to_number(element);
  };
  std::vector<std::size_t> order(row.size() / sizeof(T));
  std::iota(order.begin(), order.end(), 0);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](std::size_t left, std::size_t right) {
                      if (is_better(at(left), at(right)))
                        return true;
                      return !is_better(at(right), at(left)) && left < right;
                    });
  for (std::size_t i = 0; i < count; ++i)
    append_text(data, class_text(at(order[i]), order[i], labels));
}

const std::vector<std::string>& labels_of(const models::model_spec& spec, const std::string& name) {
  static const std::vector<std::string> none;
  for (auto& output : spec.outputs)
    if (output.name == name)
      return output.labels;
  return none;
}

}  // namespace

runtime::expected<models::tensor> classify(const models::tensor& scores,
                                           const models::model_spec& spec, std::uint32_t classes) {
  auto element_size = models::size_of(scores.type);
  if (element_size == 0 || !models::check_size(scores))
    return runtime::fail(runtime::error_code::bad_input,
                         "output '" + scores.name + "' can not be classified: it is no numbers");
  auto has_rows = spec.max_batch_size > 0 && !scores.shape.empty();
  auto rows = has_rows ? static_cast<std::size_t>(scores.shape.front()) : 1;
  auto row_bytes = rows == 0 ? 0 : scores.data.size() / rows;
  auto count = std::min<std::size_t>(classes, row_bytes / element_size);
  models::tensor result;
  result.name = scores.name;
  result.type = models::datatype::bytes;
  if (has_rows)
    result.shape.push_back(static_cast<std::int64_t>(rows));
  result.shape.push_back(static_cast<std::int64_t>(count));
  std::vector<char> data;
  auto& labels = labels_of(spec, scores.name);
  models::visit_datatype(scores.type, [&](const auto* tag) {
    using element = std::remove_const_t<std::remove_pointer_t<decltype(tag)>>;
    for (std::size_t row = 0; row < rows && row_bytes > 0; ++row)
      append_best<element>(data, scores.data.view().substr(row * row_bytes, row_bytes), count,
                           labels);
  });
  result.data = runtime::bytes{std::move(data)};
  result.byte_size = result.data.size();
  return result;
}

}  // namespace dim::gateway
