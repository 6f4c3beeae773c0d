#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "models/model_spec.hpp"

/// Whether an ensemble's maps fit the models of its steps. Pure.
namespace dim::actors::serving_ensembles {

/// A tensor on its way through an ensemble.
struct carried_tensor {
  models::datatype type = models::datatype::fp32;
  /// With the batch dimension, as -1, where there is one.
  std::vector<std::int64_t> shape;
};

/// By the name that the ensemble gives them.
using carried_tensors = std::map<std::string, carried_tensor>;

inline carried_tensor carried(const models::model_spec& spec,
                              const models::tensor_spec& declared) {
  carried_tensor tensor{declared.type, declared.dims};
  if (spec.max_batch_size > 0)
    tensor.shape.insert(tensor.shape.begin(), -1);
  return tensor;
}

inline carried_tensors inputs_of(const models::model_spec& ensemble) {
  carried_tensors known;
  for (const models::tensor_spec& input : ensemble.inputs)
    known.emplace(input.name, carried(ensemble, input));
  return known;
}

inline std::string words_of(const carried_tensor& tensor) {
  std::string text{models::to_string(tensor.type)};
  text += " of the shape [";
  for (std::size_t index = 0; index < tensor.shape.size(); ++index)
    text += (index == 0 ? "" : ", ") + std::to_string(tensor.shape[index]);
  return text + "]";
}

/// Whether one tensor can be what both say; -1 is any size.
inline bool can_be_same(const carried_tensor& one, const carried_tensor& other) {
  return one.type == other.type
         && std::equal(one.shape.begin(), one.shape.end(), other.shape.begin(), other.shape.end(),
                       [](std::int64_t left, std::int64_t right) {
                         return left == right || left < 0 || right < 0;
                       });
}

inline const models::tensor_spec* find_tensor(const std::vector<models::tensor_spec>& declared,
                                              const std::string& name) {
  const auto found = std::find_if(declared.begin(), declared.end(),
                                  [&](const auto& each) { return each.name == name; });
  return found == declared.end() ? nullptr : &*found;
}

/// What is wrong with a step over `member`, which it names; empty: nothing. What the step gives is
/// `known` afterwards.
inline std::string step_problem(const models::ensemble_step& step,
                                const models::model_spec& member, carried_tensors& known) {
  const std::string model = "'" + step.model + "'";
  for (const auto& [own, name] : step.inputs) {
    const auto* declared = find_tensor(member.inputs, own);
    if (declared == nullptr)
      return ".inputs." + own + ": expected an input of " + model + ", which has none of this name";
    const auto given = known.find(name);
    const carried_tensor wanted = carried(member, *declared);
    if (given != known.end() && !can_be_same(given->second, wanted))
      return ".inputs." + own + ": expected " + words_of(wanted) + ", got \"" + name
             + "\", which is " + words_of(given->second);
  }
  for (const models::tensor_spec& input : member.inputs)
    if (!input.is_optional && !step.inputs.contains(input.name))
      return ".inputs: expected \"" + input.name + "\" as well, which " + model + " needs";
  for (const auto& [own, name] : step.outputs) {
    const auto* declared = find_tensor(member.outputs, own);
    if (declared == nullptr)
      return ".outputs." + own + ": expected an output of " + model
             + ", which has none of this name";
    known.insert_or_assign(name, carried(member, *declared));
  }
  return {};
}

/// What is wrong with the outputs that an ensemble declares, given what its steps give.
inline std::string output_problem(const models::model_spec& ensemble,
                                  const carried_tensors& known) {
  for (const models::tensor_spec& output : ensemble.outputs) {
    const auto given = known.find(output.name);
    const carried_tensor wanted = carried(ensemble, output);
    if (given != known.end() && !can_be_same(given->second, wanted))
      return "outputs." + output.name + ": the steps give " + words_of(given->second)
             + ", and the configuration says " + words_of(wanted);
  }
  return {};
}

}  // namespace dim::actors::serving_ensembles
