#include "models/forward_call.hpp"

#include <algorithm>
#include <string>

#include <torch/script.h>

#include "models/argument_order.hpp"

namespace dim::models {

namespace {

using runtime::error_code;

/// Without the module itself, which is the first.
std::vector<c10::Argument> arguments_of(const torch::jit::Module& module) {
  const auto& all = module.get_method("forward").function().getSchema().arguments();
  return {all.begin() + 1, all.end()};
}

/// By the names of all, with places left out; empty where one of these needs an input, or a name is
/// no argument's.
std::vector<std::size_t> order_with_gaps(const std::vector<tensor_spec>& declared,
                                         const std::vector<c10::Argument>& arguments) {
  std::vector<std::size_t> order;
  std::size_t found = 0;
  for (const c10::Argument& argument : arguments) {
    if (found == declared.size())
      break;
    const auto named = std::find_if(declared.begin(), declared.end(), [&](const tensor_spec& each) {
      return each.name == argument.name();
    });
    if (named == declared.end() && !argument.default_value())
      return {};
    found += named != declared.end() ? 1 : 0;
    order.push_back(named == declared.end() ? no_input
                                            : static_cast<std::size_t>(named - declared.begin()));
  }
  return found == declared.size() ? order : std::vector<std::size_t>{};
}

}  // namespace

runtime::expected<void> check_forward(const torch::jit::Module& module, const model_spec& spec) {
  if (!module.find_method("forward"))
    return runtime::fail(error_code::bad_model, "the program has no method forward");
  const auto arguments = arguments_of(module);
  const auto needed = static_cast<std::size_t>(
    std::count_if(arguments.begin(), arguments.end(),
                  [](const c10::Argument& each) { return !each.default_value().has_value(); }));
  if (spec.inputs.size() < needed || spec.inputs.size() > arguments.size())
    return runtime::fail(error_code::bad_model,
                         "forward takes " + std::to_string(needed) + " tensors, but "
                           + std::to_string(spec.inputs.size()) + " inputs are declared");
  return {};
}

std::vector<std::size_t> input_order_of(const torch::jit::Module& module, const model_spec& spec) {
  const auto arguments = arguments_of(module);
  auto order = order_with_gaps(spec.inputs, arguments);
  if (order.size() > spec.inputs.size())
    return order;
  std::vector<std::string> names;
  for (const c10::Argument& each : arguments)
    names.push_back(each.name());
  return argument_order(spec.inputs, names);
}

runtime::expected<std::vector<torch::IValue>> defaults_of(const torch::jit::Module& module,
                                                          const model_spec& spec,
                                                          const std::vector<std::size_t>& order) {
  const auto arguments = arguments_of(module);
  std::vector<torch::IValue> defaults(order.size());
  for (std::size_t place = 0; place < order.size(); ++place) {
    const auto value = arguments[place].default_value();
    const bool is_declared = order[place] != no_input;
    if (is_declared && !spec.inputs[order[place]].is_optional)
      continue;
    if (value)
      defaults[place] = *value;
    else if (is_declared)
      return runtime::fail(error_code::bad_model,
                           "the input " + spec.inputs[order[place]].name
                             + " is optional, but forward has no default for its argument "
                             + arguments[place].name());
  }
  return defaults;
}

runtime::expected<std::vector<torch::Tensor>> results_of(const torch::IValue& value,
                                                         const model_spec& spec,
                                                         const std::vector<std::size_t>& order) {
  std::vector<torch::Tensor> results;
  if (value.isTensor()) {
    results.push_back(value.toTensor());
  } else if (value.isTensorList()) {
    results = value.toTensorVector();
  } else if (value.isTuple()) {
    for (const torch::IValue& each : value.toTupleRef().elements()) {
      if (!each.isTensor())
        return runtime::fail(error_code::bad_model, "forward gives a tuple of other than tensors");
      results.push_back(each.toTensor());
    }
  } else if (value.isGenericDict()) {
    const auto dictionary = value.toGenericDict();
    for (const tensor_spec& declared : spec.outputs) {
      const auto found = dictionary.find(declared.name);
      if (found == dictionary.end() || !found->value().isTensor())
        return runtime::fail(error_code::bad_model,
                             "forward gives no tensor named " + declared.name);
      results.push_back(found->value().toTensor());
    }
  } else {
    return runtime::fail(error_code::bad_model, "forward gives " + value.tagKind()
                                                  + ", not tensors");
  }
  if (results.size() != spec.outputs.size())
    return runtime::fail(error_code::bad_model,
                         "forward gives " + std::to_string(results.size()) + " tensors, but "
                           + std::to_string(spec.outputs.size()) + " outputs are declared");
  if (value.isGenericDict())
    return results;
  std::vector<torch::Tensor> ordered(results.size());
  for (std::size_t place = 0; place < order.size(); ++place)
    ordered[order[place]] = results[place];
  return ordered;
}

}  // namespace dim::models
