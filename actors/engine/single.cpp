#include "actors/engine/single.hpp"

#include <utility>

namespace dim::actors {

single_pattern::single_pattern(const job_spec& spec) : inputs_(spec.inputs) {
}

pattern_actions single_pattern::start(const pattern_start&) {
  place_plan plan;
  plan.inputs = std::move(inputs_);
  return {launch{{std::move(plan)}}};
}

pattern_actions single_pattern::answered(place_answer answer) {
  finish end;
  end.result.outputs = std::move(answer.outputs);
  end.result.digest = std::move(answer.digest);
  return {std::move(end)};
}

pattern_actions single_pattern::failed(place_failure failure) {
  return {give_up{std::move(failure.error)}};
}

}  // namespace dim::actors
