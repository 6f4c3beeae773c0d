#include "actors/router/ensemble_run.hpp"

#include <algorithm>
#include <utility>

#include "models/reshape.hpp"

namespace dim::actors {

using runtime::error_code;

ensemble_run::ensemble_run(std::shared_ptr<const model_entry> ensemble, models::tensor_list inputs)
  : ensemble_(std::move(ensemble)),
    begun_(ensemble_->spec.steps.size(), false),
    has_gaps_(ensemble_->spec.steps.size(), false) {
  for (models::tensor& each : inputs) {
    std::string name = each.name;
    tensors_.insert_or_assign(std::move(name), std::move(each));
  }
  for (const models::tensor_spec& declared : ensemble_->spec.inputs)
    if (const auto given = tensors_.find(declared.name); given == tensors_.end())
      absent_.insert(declared.name);
    else
      given->second.shape = models::shape_for_model(declared, given->second.shape, has_batch());
}

bool ensemble_run::can_run(const models::ensemble_step& step) const {
  return std::all_of(step.inputs.begin(), step.inputs.end(), [this](const auto& map) {
    return tensors_.contains(map.second) || absent_.contains(map.second);
  });
}

std::vector<ensemble_run::call> ensemble_run::next() {
  std::vector<call> calls;
  const auto& steps = ensemble_->spec.steps;
  for (std::size_t index = 0; index < steps.size(); ++index) {
    const models::ensemble_step& step = steps[index];
    if (begun_[index] || !can_run(step))
      continue;
    begun_[index] = true;
    call& wanted = calls.emplace_back(call{index, step.model, step.version, {}});
    for (const auto& [own, name] : step.inputs) {
      const auto given = tensors_.find(name);
      if (given == tensors_.end()) {
        has_gaps_[index] = true;
        continue;
      }
      models::tensor& input = wanted.inputs.emplace_back(given->second);
      input.name = own;
    }
  }
  return calls;
}

runtime::failure ensemble_run::take(std::size_t step, models::tensor_list outputs) {
  const models::ensemble_step& taken = ensemble_->spec.steps.at(step);
  for (const auto& [own, name] : taken.outputs) {
    const auto given = std::find_if(outputs.begin(), outputs.end(),
                                    [&](const models::tensor& each) { return each.name == own; });
    if (given == outputs.end() && has_gaps_[step]) {
      absent_.insert(name);
      continue;
    }
    if (given == outputs.end())
      return failed(error_code::bad_model,
                    "the model '" + taken.model + "' has no output '" + own + "'");
    models::tensor& kept = tensors_.insert_or_assign(name, *given).first->second;
    kept.name = name;
  }
  ++taken_;
  return {};
}

runtime::expected<models::tensor_list> ensemble_run::outputs(
  const std::vector<std::string>& wanted) const {
  for (const std::string& name : wanted)
    if (absent_.contains(name))
      return tl::unexpected(
        failed(error_code::bad_input, "the output '" + name + "' needs inputs that are left out"));
  models::tensor_list outputs;
  for (const models::tensor_spec& declared : ensemble_->spec.outputs) {
    if (!tensors_.contains(declared.name))
      continue;
    auto output = output_of(declared);
    if (!output)
      return tl::unexpected(std::move(output.error()));
    outputs.push_back(std::move(*output));
  }
  return outputs;
}

runtime::expected<models::tensor> ensemble_run::output_of(
  const models::tensor_spec& declared) const {
  models::tensor output = tensors_.at(declared.name);
  if (!declared.is_reshaped)
    return output;
  if (!models::fits_model(declared, output.shape, has_batch()))
    return tl::unexpected(failed(
      error_code::bad_model,
      "the output '" + declared.name + "' does not have the dims that its reshape declares"));
  output.shape = models::shape_for_client(declared, output.shape, has_batch());
  return output;
}

runtime::failure ensemble_run::failed(runtime::error_code code, const std::string& words) const {
  return {code, "in ensemble '" + ensemble_->name + "', " + words, {}};
}

}  // namespace dim::actors
