#pragma once

#include <string>
#include <vector>

#include "actors/engine/pattern.hpp"

namespace dim::actors {

/// Step N's outputs are step N+1's inputs; the last step's outputs are the result.
///
///   run step N --> answered --> store its outputs --> run step N+1 --> ... --> finish
///
/// The outputs of a step are on disk before the next one starts, so that an attempt which fails,
/// and an engine which starts anew, go on from the last stored step. When a step fails for good,
/// the chain gives up: what it has stored is rolled back, and the failure names the step.
class chained_pattern : public pattern_logic {
public:
  explicit chained_pattern(const job_spec& spec);

  bool needs_model_specs() const override {
    return true;
  }
  pattern_actions start(const pattern_start& start) override;
  pattern_actions answered(place_answer answer) override;
  pattern_actions failed(place_failure failure) override;
  pattern_actions step_stored(std::uint32_t step) override;
  pattern_actions time_is_up() override;

private:
  pattern_actions run_step(const models::tensor_list& outputs_before);
  pattern_actions fail_step(runtime::failure error) const;

  std::vector<step_spec> steps_;
  models::tensor_list inputs_;
  std::vector<models::model_spec> model_specs_;
  /// The step that runs, or whose outputs are being stored.
  std::uint32_t step_ = 0;
  /// Outputs of `step_` on their way to the disk.
  models::tensor_list storing_;
  bool is_storing_ = false;
  /// Steps whose outputs are stored.
  std::uint32_t stored_ = 0;
};

}  // namespace dim::actors
