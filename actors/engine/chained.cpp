#include "actors/engine/chained.hpp"

#include <utility>

#include "actors/engine/join/step_inputs.hpp"

namespace dim::actors {

chained_pattern::chained_pattern(const job_spec& spec) : steps_(spec.steps), inputs_(spec.inputs) {
}

pattern_actions chained_pattern::start(const pattern_start& start) {
  model_specs_ = start.model_specs;
  step_ = start.steps_done;
  stored_ = start.steps_done;
  if (step_ >= steps_.size())
    return fail_step({runtime::error_code::internal, "the chain has no step left to run", {}});
  return run_step(start.stored_outputs);
}

pattern_actions chained_pattern::answered(place_answer answer) {
  if (step_ + 1 == steps_.size()) {
    finish end;
    end.result.outputs = std::move(answer.outputs);
    end.result.digest = std::move(answer.digest);
    return {std::move(end)};
  }
  storing_ = answer.outputs;
  is_storing_ = true;
  return {store_step{step_, std::move(answer.outputs)}};
}

pattern_actions chained_pattern::failed(place_failure failure) {
  return fail_step(std::move(failure.error));
}

pattern_actions chained_pattern::step_stored(std::uint32_t step) {
  if (!is_storing_ || step != step_)
    return {};
  is_storing_ = false;
  ++stored_;
  ++step_;
  return run_step(std::exchange(storing_, {}));
}

pattern_actions chained_pattern::time_is_up() {
  return fail_step({runtime::error_code::timeout, "the time of the job is over", {}});
}

pattern_actions chained_pattern::run_step(const models::tensor_list& outputs_before) {
  place_plan plan;
  plan.id = {step_, 0};
  if (step_ == 0) {
    plan.inputs = inputs_;
  } else {
    auto model = step_ < model_specs_.size() ? model_specs_[step_] : models::model_spec{};
    auto inputs = make_step_inputs(steps_[step_], model, outputs_before);
    if (!inputs)
      return fail_step(inputs.error());
    plan.inputs = std::move(*inputs);
  }
  return {launch{{std::move(plan)}}};
}

pattern_actions chained_pattern::fail_step(runtime::failure error) const {
  std::string name = "step " + std::to_string(step_);
  if (step_ < steps_.size())
    name += " (model " + steps_[step_].model + ":" + steps_[step_].version + ")";
  error.message = name + ": " + error.message;
  return {give_up{std::move(error), stored_ > 0}};
}

}  // namespace dim::actors
