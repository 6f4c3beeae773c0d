#include "models/builtin.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <optional>
#include <string_view>
#include <thread>
#include <type_traits>

#include "models/numbers.hpp"
#include "models/reshape.hpp"

namespace dim::models {

namespace {

using runtime::error_code;

/// Null when it is left out.
const tensor* input_of(const tensor_list& inputs, const tensor_spec& declared) {
  const auto found = std::find_if(inputs.begin(), inputs.end(),
                                  [&](const tensor& each) { return each.name == declared.name; });
  return found == inputs.end() ? nullptr : &*found;
}

/// How clients see the output of a model that gives what it sees of this input.
std::vector<std::int64_t> shape_of(const tensor_spec& output, const tensor& input,
                                   const tensor_spec& declared, bool has_batch) {
  return shape_for_client(output, shape_for_model(declared, input.shape, has_batch), has_batch);
}

tensor_list repeat(const model_spec& spec, const tensor_list& inputs) {
  tensor_list outputs;
  for (std::size_t index = 0; index < spec.outputs.size(); ++index) {
    const tensor* input = input_of(inputs, spec.inputs[index]);
    if (input == nullptr)
      continue;
    tensor output = *input;
    output.name = spec.outputs[index].name;
    output.shape =
      shape_of(spec.outputs[index], output, spec.inputs[index], spec.max_batch_size > 0);
    output.byte_size = output.data.size();
    output.digest.clear();
    outputs.push_back(std::move(output));
  }
  return outputs;
}

void wait_for(const model_spec& spec) {
  const auto found = spec.parameters.find("delay_ms");
  if (found == spec.parameters.end())
    return;
  std::uint32_t milliseconds = 0;
  const std::string& text = found->second;
  std::from_chars(text.data(), text.data() + text.size(), milliseconds);
  std::this_thread::sleep_for(std::chrono::milliseconds{milliseconds});
}

template <class Number>
Number combine(Number one, Number other, bool is_sum) {
  if constexpr (std::is_integral_v<Number>) {
    // Unsigned numbers wrap around; that of a short one is an int, and cut off again.
    using wide = std::common_type_t<std::make_unsigned_t<Number>, unsigned>;
    const auto left = static_cast<wide>(one);
    const auto right = static_cast<wide>(other);
    return static_cast<Number>(is_sum ? left + right : left - right);
  } else {
    return is_sum ? one + other : one - other;
  }
}

template <class Number>
std::vector<char> combine_all(std::string_view one, std::string_view other, bool is_sum) {
  std::vector<char> result(one.size());
  for (std::size_t at = 0; at + sizeof(Number) <= one.size(); at += sizeof(Number)) {
    Number left;
    Number right;
    std::memcpy(&left, one.data() + at, sizeof left);
    std::memcpy(&right, other.data() + at, sizeof right);
    const Number combined = combine(left, right, is_sum);
    std::memcpy(result.data() + at, &combined, sizeof combined);
  }
  return result;
}

/// The next element of BYTES, which is taken off `rest`.
std::optional<std::string_view> next_text(std::string_view& rest) {
  std::uint32_t size = 0;
  if (rest.size() < sizeof size)
    return std::nullopt;
  std::memcpy(&size, rest.data(), sizeof size);
  rest.remove_prefix(sizeof size);
  if (rest.size() < size)
    return std::nullopt;
  const std::string_view text = rest.substr(0, size);
  rest.remove_prefix(size);
  return text;
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size())
    return std::nullopt;
  return number;
}

runtime::expected<std::vector<char>> combine_texts(std::string_view one, std::string_view other,
                                                   bool is_sum) {
  std::vector<char> result;
  while (!one.empty() || !other.empty()) {
    const auto left = next_text(one);
    const auto right = next_text(other);
    if (!left || !right)
      return runtime::fail(error_code::bad_input, "the texts' lengths do not add up");
    const auto first = whole_number(*left);
    const auto second = whole_number(*right);
    if (!first || !second)
      return runtime::fail(error_code::bad_input,
                           "\"" + std::string{first ? *right : *left} + "\" is no whole number");
    const std::string text = std::to_string(combine(*first, *second, is_sum));
    const auto size = static_cast<std::uint32_t>(text.size());
    const char* size_bytes = reinterpret_cast<const char*>(&size);
    result.insert(result.end(), size_bytes, size_bytes + sizeof size);
    result.insert(result.end(), text.begin(), text.end());
  }
  return result;
}

runtime::expected<std::vector<char>> combine_tensors(const tensor& one, const tensor& other,
                                                     bool is_sum) {
  if (one.type == datatype::bytes)
    return combine_texts(one.data.view(), other.data.view(), is_sum);
  if (one.data.size() != other.data.size())
    return runtime::fail(error_code::bad_input, "the inputs differ in size");
  std::vector<char> result;
  visit_datatype(one.type, [&](auto* element) {
    using number = std::remove_cv_t<std::remove_pointer_t<decltype(element)>>;
    if constexpr (std::is_arithmetic_v<number>)
      result = combine_all<number>(one.data.view(), other.data.view(), is_sum);
  });
  return result;
}

runtime::expected<tensor_list> add_and_subtract(const model_spec& spec,
                                                const tensor_list& inputs) {
  const tensor& one = *input_of(inputs, spec.inputs[0]);
  const tensor& other = *input_of(inputs, spec.inputs[1]);
  tensor_list outputs;
  for (std::size_t index = 0; index < 2; ++index) {
    auto data = combine_tensors(one, other, index == 0);
    if (!data)
      return tl::unexpected(data.error());
    auto shape = shape_of(spec.outputs[index], one, spec.inputs[0], spec.max_batch_size > 0);
    tensor output{spec.outputs[index].name, one.type, std::move(shape), {}, {}, data->size()};
    output.data = runtime::bytes{std::move(*data)};
    outputs.push_back(std::move(output));
  }
  return outputs;
}

}  // namespace

bool is_builtin(model_kind kind) noexcept {
  return repeats_inputs(kind) || kind == model_kind::add_sub;
}

bool repeats_inputs(model_kind kind) noexcept {
  return kind == model_kind::identity || kind == model_kind::delay;
}

runtime::expected<tensor_list> run_builtin(const model_spec& spec, const tensor_list& inputs) {
  if (auto problems = check_inputs(spec, inputs); !problems.empty())
    return runtime::fail(error_code::bad_input, "the inputs do not fit the model",
                         std::move(problems));
  switch (spec.kind) {
    case model_kind::delay:
      wait_for(spec);
      return repeat(spec, inputs);
    case model_kind::identity:
      return repeat(spec, inputs);
    case model_kind::add_sub:
      return add_and_subtract(spec, inputs);
    case model_kind::torchscript:
    case model_kind::ensemble:
      break;
  }
  return runtime::fail(error_code::internal, "the model is not a built-in one");
}

}  // namespace dim::models
