#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "actors/store/model_messages.hpp"
#include "models/tensor.hpp"
#include "runtime/errors.hpp"

namespace dim::actors {

/// One inference of an ensemble: which of its steps can run, with what. Tensors are passed from
/// step to step by reference, under the names that the steps' maps give them, and in the shapes of
/// the ensemble's `reshape`. Pure.
///
/// A step leaves out what the request has left out, and may then give less: whether it can do
/// without is for its model to say.
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
  /// ensemble needs is missing, though the step has had all its inputs).
  runtime::failure take(std::size_t step, models::tensor_list outputs);

  /// Whether every step has given its outputs.
  bool is_done() const noexcept {
    return taken_ == begun_.size();
  }

  /// The ensemble's outputs, in its order, once it is done, without those that nothing gives since
  /// inputs were left out. Errors: bad_input (one of these is `wanted`), bad_model (one is not in
  /// the shape in which it is to be taken).
  runtime::expected<models::tensor_list> outputs(const std::vector<std::string>& wanted) const;

private:
  bool can_run(const models::ensemble_step& step) const;
  bool has_batch() const noexcept {
    return ensemble_->spec.max_batch_size > 0;
  }
  runtime::failure failed(runtime::error_code code, const std::string& words) const;
  runtime::expected<models::tensor> output_of(const models::tensor_spec& declared) const;

  std::shared_ptr<const model_entry> ensemble_;
  std::map<std::string, models::tensor> tensors_;
  /// What will not come, since inputs were left out.
  std::set<std::string> absent_;
  std::vector<bool> begun_;
  /// Which steps were called without all their inputs.
  std::vector<bool> has_gaps_;
  std::size_t taken_ = 0;
};

}  // namespace dim::actors
