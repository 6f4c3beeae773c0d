#pragma once

#include "actors/engine/pattern.hpp"

namespace dim::actors {

/// One model on one node; its output is the result.
class single_pattern : public pattern_logic {
public:
  explicit single_pattern(const job_spec& spec);

  pattern_actions start(const pattern_start& start) override;
  pattern_actions answered(place_answer answer) override;
  pattern_actions failed(place_failure failure) override;

private:
  models::tensor_list inputs_;
};

}  // namespace dim::actors
