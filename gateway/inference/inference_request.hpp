#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/tensor.hpp"

namespace dim::gateway {

/// An output that a request names.
struct wanted_output {
  std::string name;
  /// As raw bytes behind the JSON, not inside it.
  bool is_binary = false;
  /// The best so many classes with their labels, in place of the values; 0: the values.
  std::uint32_t classes = 0;
};

/// The body of one inference request of the Open Inference Protocol.
struct inference_request {
  /// Given back in the answer; empty: none.
  std::string id;
  /// 0: the model's default; 1 is first.
  std::uint32_t priority = 0;
  /// Longest wait in a queue; 0: not said.
  std::uint64_t timeout_us = 0;
  models::tensor_list inputs;
  /// Empty: all outputs of the model.
  std::vector<wanted_output> outputs;
  /// How outputs come that `outputs` does not name.
  bool is_binary_output = false;
};

}  // namespace dim::gateway
