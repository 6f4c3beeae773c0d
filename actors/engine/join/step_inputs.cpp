#include "actors/engine/join/step_inputs.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace dim::actors {

namespace {

const models::tensor* find_named(const models::tensor_list& list, const std::string& name) {
  auto found = std::find_if(list.begin(), list.end(), [&](auto& x) { return x.name == name; });
  return found != list.end() ? &*found : nullptr;
}

std::vector<std::string> check_map(const step_spec& step, const models::model_spec& model) {
  std::vector<std::string> problems;
  for (auto& [input, output] : step.input_map) {
    auto named = [&name = input](auto& declared) { return declared.name == name; };
    if (std::none_of(model.inputs.begin(), model.inputs.end(), named))
      problems.push_back("input_map." + input + ": the model has no such input");
  }
  return problems;
}

}  // namespace

runtime::expected<models::tensor_list> make_step_inputs(const step_spec& step,
                                                        const models::model_spec& model,
                                                        const models::tensor_list& outputs) {
  auto problems = check_map(step, model);
  models::tensor_list inputs;
  for (auto& declared : model.inputs) {
    auto mapped = step.input_map.find(declared.name);
    const bool is_mapped = mapped != step.input_map.end();
    auto source = find_named(outputs, is_mapped ? mapped->second : declared.name);
    if (source == nullptr && !is_mapped && model.inputs.size() == 1 && outputs.size() == 1)
      source = &outputs.front();
    if (source == nullptr && declared.is_optional && !is_mapped)
      continue;
    if (source == nullptr) {
      const auto& wanted = is_mapped ? mapped->second : declared.name;
      problems.push_back("input " + declared.name + ": the step before has no output " + wanted);
      continue;
    }
    inputs.push_back(*source);
    inputs.back().name = declared.name;
  }
  if (problems.empty())
    problems = models::check_inputs(model, inputs);
  if (!problems.empty())
    return runtime::fail(runtime::error_code::bad_input,
                         "the outputs of the step before do not fit the inputs of this one",
                         std::move(problems));
  return inputs;
}

}  // namespace dim::actors
