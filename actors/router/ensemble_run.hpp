#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "actors/store/model_messages.hpp"
#include "models/tensor.hpp"
#include "runtime/errors.hpp"

namespace dim::actors {

/// One inference of an ensemble: which of its steps can run, with what. Tensors are passed from
/// step to step by reference, under the names that the steps' maps give them. Pure.
///
///     next --> (ROUTER runs the calls) --> take --> next ... --> is_done, outputs
class ensemble_run {
public:
  /// A request to the model of one step.
  struct call {
    std::size_t step = 0;
    std::string model;
    std::string version;
    models::tensor_list inputs;
  };

  /// `inputs` have been checked against what the ensemble declares.
  ensemble_run(std::shared_ptr<const model_entry> ensemble, models::tensor_list inputs);

  /// The steps that have become able to run since the last time.
  std::vector<call> next();

  /// What a step has given. Errors, with `code` other than `none`: bad_model (an output that the
  /// ensemble needs is missing).
  runtime::failure take(std::size_t step, models::tensor_list outputs);

  /// Whether every step has given its outputs.
  bool is_done() const noexcept {
    return taken_ == begun_.size();
  }

  /// The ensemble's outputs, in its order, once it is done.
  models::tensor_list outputs() const;

private:
  bool can_run(const models::ensemble_step& step) const;

  std::shared_ptr<const model_entry> ensemble_;
  std::map<std::string, models::tensor> tensors_;
  std::vector<bool> begun_;
  std::size_t taken_ = 0;
};

}  // namespace dim::actors
