#include "actors/router/inference_check.hpp"

#include <algorithm>
#include <string>

#include "models/builtin.hpp"

namespace dim::actors {

namespace {

using models::model_spec;
using models::tensor;
using models::tensor_spec;

runtime::failure refused(std::string words) {
  return {runtime::error_code::bad_input, std::move(words), {}};
}

const runtime::failure good{};

const tensor_spec* find_declared(const std::vector<tensor_spec>& declared,
                                 const std::string& name) {
  auto found = std::find_if(declared.begin(), declared.end(),
                            [&](const tensor_spec& each) { return each.name == name; });
  return found == declared.end() ? nullptr : &*found;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (auto dim : shape)
    text += (text.size() > 1 ? "," : "") + std::to_string(dim);
  return text + "]";
}

bool fits(const std::vector<std::int64_t>& dims, std::size_t skipped,
          const std::vector<std::int64_t>& shape) {
  if (shape.size() != dims.size() + skipped)
    return false;
  for (std::size_t axis = 0; axis < dims.size(); ++axis) {
    auto given = shape[axis + skipped];
    if (given < 0 || (dims[axis] != -1 && given != dims[axis]))
      return false;
  }
  return true;
}

runtime::failure check_shape(const model_spec& spec, const tensor_spec& declared,
                             const tensor& input) {
  auto batches = spec.max_batch_size > 0;
  if (batches && input.shape.empty())
    return refused("input '" + input.name
                   + "' has no shape but model requires batch dimension for '" + spec.name + "'");
  if (fits(declared.dims, batches ? 1 : 0, input.shape))
    return good;
  auto expected = declared.dims;
  if (batches)
    expected.insert(expected.begin(), -1);
  std::string words = "unexpected shape for input '" + input.name + "' for model '" + spec.name
                      + "'. Expected " + shape_text(expected) + ", got "
                      + shape_text(input.shape) + ".";
  if (batches)
    words += " The first dimension counts the rows.";
  return refused(std::move(words));
}

runtime::failure check_rows(const model_spec& spec, const models::tensor_list& inputs) {
  if (spec.max_batch_size == 0 || inputs.empty())
    return good;
  auto rows = inputs.front().shape.front();
  for (auto& input : inputs)
    if (input.shape.front() != rows)
      return refused("input '" + input.name + "' batch size does not match other inputs for '"
                     + spec.name + "'");
  if (rows < 1)
    return refused("inference request batch-size must be >= 1 for '" + spec.name + "'");
  if (rows > spec.max_batch_size)
    return refused("inference request batch-size must be <= " + std::to_string(spec.max_batch_size)
                   + " for '" + spec.name + "'");
  return good;
}

runtime::failure check_input(const model_spec& spec, const tensor& input) {
  auto* declared = find_declared(spec.inputs, input.name);
  if (declared == nullptr)
    return refused("unexpected inference input '" + input.name + "' for model '" + spec.name + "'");
  if (input.type != declared->type)
    return refused("inference input '" + input.name + "' data-type is '"
                   + std::string{to_string(input.type)} + "', but model '" + spec.name
                   + "' expects '" + std::string{to_string(declared->type)} + "'");
  if (auto problem = check_shape(spec, *declared, input);
      problem.code != runtime::error_code::none)
    return problem;
  if (auto whole = check_size(input); !whole)
    return refused("unexpected size for input '" + input.name + "': " + whole.error().message);
  return good;
}

std::string names_text(const std::vector<std::string>& names) {
  std::string text = "[";
  for (auto& name : names)
    text += (text.size() > 1 ? ",'" : "'") + name + "'";
  return text + "]";
}

std::string wanted_text(const model_spec& spec) {
  const auto all = spec.inputs.size();
  const auto optional = static_cast<std::size_t>(
    std::count_if(spec.inputs.begin(), spec.inputs.end(),
                  [](const tensor_spec& each) { return each.is_optional; }));
  if (optional == 0)
    return std::to_string(all) + " inputs";
  return "number of inputs between " + std::to_string(std::max<std::size_t>(1, all - optional))
         + " and " + std::to_string(all);
}

runtime::failure check_presence(const model_spec& spec, const models::tensor_list& inputs) {
  for (auto each = inputs.begin(); each != inputs.end(); ++each)
    if (std::any_of(inputs.begin(), each,
                    [&](const tensor& other) { return other.name == each->name; }))
      return refused("input '" + each->name + "' already exists in request");
  if (inputs.size() == spec.inputs.size())
    return good;
  std::vector<std::string> given, missing;
  for (auto& input : inputs)
    given.push_back(input.name);
  for (auto& declared : spec.inputs)
    if (!declared.is_optional
        && std::find(given.begin(), given.end(), declared.name) == given.end())
      missing.push_back(declared.name);
  if (missing.empty() && !given.empty())
    return good;
  return refused("expected " + wanted_text(spec) + " but got "
                 + std::to_string(inputs.size()) + " inputs for model '" + spec.name
                 + "'. Got input(s) " + names_text(given) + ", but missing required input(s) "
                 + names_text(missing) + ". Please provide all required input(s).");
}

/// A model that repeats its inputs has nothing to give in the place of one that is left out.
runtime::failure check_repeated(const model_spec& spec, const run_inference& request) {
  if (!models::repeats_inputs(spec.kind) || request.inputs.size() == spec.inputs.size())
    return good;
  for (std::size_t index = 0; index < spec.inputs.size(); ++index) {
    auto& input = spec.inputs[index].name;
    auto& output = spec.outputs[index].name;
    auto is_given = std::any_of(request.inputs.begin(), request.inputs.end(),
                                [&](const tensor& each) { return each.name == input; });
    auto is_wanted =
      std::find(request.outputs.begin(), request.outputs.end(), output) != request.outputs.end();
    if (is_wanted && !is_given)
      return refused("output '" + output + "' of model '" + spec.name + "' needs the input '"
                     + input + "', which is left out");
  }
  return good;
}

runtime::failure check_outputs(const model_spec& spec, const std::vector<std::string>& outputs) {
  for (auto each = outputs.begin(); each != outputs.end(); ++each) {
    if (std::find(outputs.begin(), each, *each) != each)
      return refused("output '" + *each + "' already exists in request");
    if (find_declared(spec.outputs, *each) == nullptr)
      return refused("unexpected inference output '" + *each + "' for model '" + spec.name + "'");
  }
  return good;
}

}  // namespace

runtime::failure check_inference(const model_spec& spec, const run_inference& request) {
  constexpr auto none = runtime::error_code::none;
  for (auto& input : request.inputs)
    if (find_declared(spec.inputs, input.name) == nullptr)
      return refused("unexpected inference input '" + input.name + "' for model '" + spec.name
                     + "'");
  if (auto problem = check_presence(spec, request.inputs); problem.code != none)
    return problem;
  for (auto& input : request.inputs)
    if (auto problem = check_input(spec, input); problem.code != none)
      return problem;
  if (auto problem = check_rows(spec, request.inputs); problem.code != none)
    return problem;
  if (auto problem = check_outputs(spec, request.outputs); problem.code != none)
    return problem;
  return check_repeated(spec, request);
}

}  // namespace dim::actors
