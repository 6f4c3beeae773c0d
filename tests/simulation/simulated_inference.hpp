#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "actors/agent/worker_host.hpp"

namespace dim::simulation {

/// How one forward goes.
struct forward_fate {
  std::int64_t cost_us = 0;
  bool is_wrong = false;
  bool out_of_memory = false;
  /// The worker dies.
  bool crashes = false;
  /// Tells wrong answers apart.
  std::uint64_t number = 0;
};

/// Decides about the next forward of `model`.
using forward_plan = std::function<forward_fate(const std::string& model)>;

/// Makes INFERENCE without a model: one forward after the other, each as long as its fate says in
/// virtual time, its outputs computed from the inputs by `right_answer`.
actors::inference_factory make_simulated_inference(forward_plan plan);

}  // namespace dim::simulation
