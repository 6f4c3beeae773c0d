#include "gateway/inference/input_reader.hpp"

#include <limits>

#include "gateway/inference/tensor_elements.hpp"

namespace dim::gateway {

namespace {

using simdjson::SUCCESS;
using json_object = json_walker::object_type;
using json_value = json_walker::value_type;

constexpr std::size_t inputs_max = 1024;
constexpr std::size_t rank_max = 64;
constexpr std::uint64_t size_max = std::numeric_limits<std::int64_t>::max();

}  // namespace

bool input_reader::read(json_value value) {
  json_object object;
  if (value.get_object().get(object) != SUCCESS)
    return walker_.refuse("inputs: expected objects");
  if (inputs.size() == inputs_max)
    return walker_.refuse("inputs: expected at most " + std::to_string(inputs_max));
  open_input input;
  auto is_read =
    walker_.each_member(object, [&](std::string_view key, json_value each, std::size_t position) {
      return read_member(key, each, position, input);
    });
  if (!is_read || !check_members(input))
    return false;
  if (input.skipped_data && !read_skipped_data(object, input))
    return false;
  if (input.binary_size && !take_binary(input))
    return false;
  if (!input.data && input.count > 0)
    return refuse("input '", input, "' must have 'data' or the parameter 'binary_data_size'");
  models::tensor tensor;
  tensor.name = std::move(input.name);
  tensor.type = *input.type;
  tensor.shape = std::move(*input.shape);
  if (input.data)
    tensor.data = std::move(*input.data);
  tensor.byte_size = tensor.data.size();
  inputs.push_back(std::move(tensor));
  return true;
}

bool input_reader::finish() {
  return binary_.empty()
         || walker_.refuse("unexpected additional input data for model '" + std::string{model_}
                           + "'");
}

bool input_reader::read_member(std::string_view key, json_value value, std::size_t position,
                               open_input& input) {
  if (key == "name")
    return walker_.read_text(value, "inputs.name", input.name);
  if ((input.shape && key == "shape") || (input.type && key == "datatype")
      || (input.has_data() && key == "data"))
    return walker_.refuse_at("inputs." + std::string{key}, "expected only once");
  if (key == "shape")
    return read_shape(value, input);
  if (key == "datatype")
    return read_type(value, input);
  if (key == "data") {
    if (input.type && input.shape)
      return read_data(value, input);
    input.skipped_data = position;
    return true;
  }
  if (key != "parameters")
    return walker_.pass_over(value);
  return walker_.each_member(
    value, "inputs.parameters",
    [&](std::string_view name, json_value each) { return read_parameter(name, each, input); });
}

bool input_reader::read_parameter(std::string_view key, json_value value, open_input& input) {
  if (key != "binary_data_size")
    return refuse_shared_memory(walker_, key) && walker_.pass_over(value);
  return walker_.read_count(value, "inputs.parameters.binary_data_size", size_max,
                            input.binary_size.emplace());
}

bool input_reader::read_type(json_value value, open_input& input) {
  std::string name;
  if (!walker_.read_text(value, "inputs.datatype", name))
    return false;
  input.type = models::datatype_from(name);
  return input.type || refuse("invalid datatype '" + name + "' for input '", input, "'");
}

bool input_reader::read_shape(json_value value, open_input& input) {
  std::vector<std::int64_t> shape;
  auto is_read = walker_.each_element(value, "inputs.shape", [&](json_value each) {
    std::uint64_t dimension = 0;
    if (!walker_.read_count(each, "inputs.shape", size_max, dimension))
      return false;
    shape.push_back(static_cast<std::int64_t>(dimension));
    return shape.size() <= rank_max || walker_.refuse("inputs.shape: too many dimensions");
  });
  if (!is_read)
    return false;
  auto count = models::element_count(shape);
  if (!count)
    return refuse("the shape of input '", input, "' holds too many elements");
  input.count = *count;
  input.shape = std::move(shape);
  return true;
}

bool input_reader::read_data(json_value value, open_input& input) {
  auto elements = read_elements(value, *input.type, *input.shape, input.count, text_size_);
  if (!elements)
    return refuse("unable to parse the data of input '", input, "': " + elements.error().message);
  input.data = runtime::bytes{std::move(*elements)};
  return true;
}

bool input_reader::read_skipped_data(json_object& object, open_input& input) {
  json_value value;
  return walker_.find_member(object, *input.skipped_data, value) && read_data(value, input);
}

bool input_reader::check_members(const open_input& input) {
  if (input.name.empty())
    return walker_.refuse("an input has no 'name'");
  if (!input.shape)
    return refuse("input '", input, "' has no 'shape'");
  if (!input.type)
    return refuse("input '", input, "' has no 'datatype'");
  for (auto& other : inputs)
    if (other.name == input.name)
      return refuse("input '", input, "' already exists in request");
  if (input.binary_size && input.has_data())
    return refuse("input '", input, "' must have either 'data' or 'binary_data_size', not both");
  return true;
}

bool input_reader::take_binary(open_input& input) {
  if (*input.binary_size > binary_.size())
    return refuse("unexpected size for input '", input,
                  "', expecting " + std::to_string(*input.binary_size - binary_.size())
                    + " additional bytes for model '" + std::string{model_} + "'");
  auto part = binary_.substr(0, static_cast<std::size_t>(*input.binary_size));
  binary_.remove_prefix(part.size());
  input.data = runtime::bytes::copy_of(part);
  return check_binary(input);
}

bool input_reader::check_binary(const open_input& input) {
  auto size = input.data->size();
  auto element_size = models::size_of(*input.type);
  if (element_size > 0) {
    // The number of elements is at most 2^62, so that only the product with their size overflows.
    std::uint64_t wanted = 0;
    auto is_over = __builtin_mul_overflow(input.count, element_size, &wanted);
    return (!is_over && wanted == size)
           || refuse("input byte size mismatch for input '", input,
                     "' for model '" + std::string{model_} + "'. Expected "
                       + (is_over ? std::to_string(input.count) + " elements of "
                                      + std::to_string(element_size) + " bytes"
                                  : std::to_string(wanted))
                       + ", got " + std::to_string(size));
  }
  models::tensor texts{input.name, *input.type, *input.shape, *input.data, {}, size};
  auto fits = models::check_size(texts);
  return fits || refuse("unexpected data for input '", input, "': " + fits.error().message);
}

bool input_reader::refuse(std::string_view before, const open_input& input,
                          std::string_view after) {
  return walker_.refuse(std::string{before} + input.name + std::string{after});
}

bool refuse_shared_memory(json_walker& walker, std::string_view key) {
  return !key.starts_with("shared_memory_")
         || walker.refuse("shared memory is not supported", runtime::error_code::unsupported);
}

}  // namespace dim::gateway
