#include "gateway/inference/request_reader.hpp"

#include <limits>
#include <optional>
#include <string>

#include "gateway/inference/input_reader.hpp"
#include "gateway/inference/json_walker.hpp"

namespace dim::gateway {

namespace {

using json_value = json_walker::value_type;
using simdjson::ondemand::json_type;

constexpr std::size_t outputs_max = 1024;
constexpr std::uint64_t int64_max = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t uint32_max = std::numeric_limits<std::uint32_t>::max();

/// Reads one request from the outside in. The functions return false when the walker's `problem`
/// has been set.
class request_reader {
public:
  request_reader(const framed_body& framed, std::string_view model)
    : inputs_(walker_, framed.json.size(), framed.binary, model) {
  }

  bool read(const runtime::bytes& body, std::string_view text);

  inference_request take() {
    request_.inputs = std::move(inputs_.inputs);
    return std::move(request_);
  }
  runtime::failure& problem() {
    return walker_.problem;
  }

private:
  bool read_member(std::string_view key, json_value value);
  bool read_parameter(std::string_view key, json_value value);
  bool read_output(json_value value);
  bool read_output_parameter(std::string_view key, json_value value, wanted_output& output,
                             std::optional<bool>& is_binary);

  json_walker walker_;
  input_reader inputs_;
  inference_request request_;
  bool has_inputs_ = false;
  /// For each output, whether it said itself in which form it is wanted.
  std::vector<bool> decided_;
};

bool request_reader::read(const runtime::bytes& body, std::string_view text) {
  auto is_read = walker_.read_document(
    body, text, [this](std::string_view key, json_value value) { return read_member(key, value); });
  if (!is_read)
    return false;
  if (!has_inputs_)
    return walker_.refuse("failed to parse the request JSON: it has no 'inputs'");
  for (std::size_t i = 0; i < request_.outputs.size(); ++i)
    if (!decided_[i])
      request_.outputs[i].is_binary = request_.is_binary_output;
  return inputs_.finish();
}

bool request_reader::read_member(std::string_view key, json_value value) {
  if (key == "id")
    return walker_.read_text(value, "id", request_.id);
  if (key == "inputs") {
    if (has_inputs_)
      return walker_.refuse("failed to parse the request JSON: 'inputs' stands in it twice");
    has_inputs_ = true;
    return walker_.each_element(value, "inputs",
                                [this](json_value each) { return inputs_.read(each); });
  }
  if (key == "outputs")
    return walker_.each_element(value, "outputs",
                                [this](json_value each) { return read_output(each); });
  if (key != "parameters")
    return walker_.pass_over(value);
  return walker_.each_member(value, "parameters", [this](std::string_view name, json_value each) {
    return read_parameter(name, each);
  });
}

bool request_reader::read_parameter(std::string_view key, json_value value) {
  if (key == "binary_data_output")
    return walker_.read_flag(value, "parameters.binary_data_output", request_.is_binary_output);
  if (key == "timeout")
    return walker_.read_count(value, "parameters.timeout", int64_max, request_.timeout_us);
  if (key == "priority") {
    std::uint64_t priority = 0;
    if (!walker_.read_count(value, "parameters.priority", uint32_max, priority))
      return false;
    request_.priority = static_cast<std::uint32_t>(priority);
    return true;
  }
  if (key == "headers" || key.starts_with("triton_"))
    return walker_.refuse(
      "the parameter 'headers', and those that start with 'triton_', are "
      "reserved");
  auto type = json_walker::type_of(value);
  if (type == json_type::array || type == json_type::object)
    return walker_.refuse("parameter '" + std::string{key}
                          + "': expected a string, a number or a boolean");
  return walker_.pass_over(value);
}

bool request_reader::read_output(json_value value) {
  if (request_.outputs.size() == outputs_max)
    return walker_.refuse("outputs: expected at most " + std::to_string(outputs_max));
  wanted_output output;
  std::optional<bool> is_binary;
  auto read_parameter_of = [&](std::string_view key, json_value each) {
    return read_output_parameter(key, each, output, is_binary);
  };
  auto is_read = walker_.each_member(value, "outputs", [&](std::string_view key, json_value each) {
    if (key == "name")
      return walker_.read_text(each, "outputs.name", output.name);
    return key == "parameters"
             ? walker_.each_member(each, "outputs.parameters", read_parameter_of)
             : walker_.pass_over(each);
  });
  if (!is_read)
    return false;
  if (output.name.empty())
    return walker_.refuse("an output has no 'name'");
  for (auto& other : request_.outputs)
    if (other.name == output.name)
      return walker_.refuse("output '" + output.name + "' already exists in request");
  output.is_binary = is_binary.value_or(false);
  decided_.push_back(is_binary.has_value());
  request_.outputs.push_back(std::move(output));
  return true;
}

bool request_reader::read_output_parameter(std::string_view key, json_value value,
                                           wanted_output& output, std::optional<bool>& is_binary) {
  if (key == "binary_data")
    return walker_.read_flag(value, "outputs.parameters.binary_data", is_binary.emplace());
  if (key != "classification")
    return refuse_shared_memory(walker_, key) && walker_.pass_over(value);
  std::uint64_t classes = 0;
  if (!walker_.read_count(value, "outputs.parameters.classification", uint32_max, classes))
    return false;
  output.classes = static_cast<std::uint32_t>(classes);
  return true;
}

}  // namespace

runtime::expected<inference_request> read_inference_request(const runtime::bytes& body,
                                                            const framed_body& framed,
                                                            std::string_view model) {
  request_reader reader{framed, model};
  if (!reader.read(body, framed.json))
    return tl::unexpected<runtime::failure>(std::move(reader.problem()));
  return reader.take();
}

}  // namespace dim::gateway
