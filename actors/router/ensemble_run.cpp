#include "actors/router/ensemble_run.hpp"

#include <algorithm>
#include <utility>

namespace dim::actors {

ensemble_run::ensemble_run(std::shared_ptr<const model_entry> ensemble, models::tensor_list inputs)
  : ensemble_(std::move(ensemble)), begun_(ensemble_->spec.steps.size(), false) {
  for (models::tensor& each : inputs) {
    std::string name = each.name;
    tensors_.insert_or_assign(std::move(name), std::move(each));
  }
}

bool ensemble_run::can_run(const models::ensemble_step& step) const {
  return std::all_of(step.inputs.begin(), step.inputs.end(),
                     [this](const auto& map) { return tensors_.contains(map.second); });
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
      models::tensor& input = wanted.inputs.emplace_back(tensors_.at(name));
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
    if (given == outputs.end())
      return {runtime::error_code::bad_model,
              "in ensemble '" + ensemble_->name + "', the model '" + taken.model
                + "' has no output '" + own + "'",
              {}};
    models::tensor& kept = tensors_.insert_or_assign(name, *given).first->second;
    kept.name = name;
  }
  ++taken_;
  return {};
}

models::tensor_list ensemble_run::outputs() const {
  models::tensor_list outputs;
  for (const models::tensor_spec& declared : ensemble_->spec.outputs)
    if (const auto found = tensors_.find(declared.name); found != tensors_.end())
      outputs.push_back(found->second);
  return outputs;
}

}  // namespace dim::actors
