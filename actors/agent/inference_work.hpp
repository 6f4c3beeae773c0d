#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "actors/agent/messages.hpp"
#include "models/model.hpp"
#include "runtime/errors.hpp"

/// Part of `dim::inference`, which links LibTorch.
namespace dim::actors {

/// What INFERENCE does: one model, loaded once, and its forwards, one after the other. No actor: it
/// blocks, on the thread that calls it, and what a library throws becomes a failure.
class inference_work {
public:
  /// Errors: bad_model, memory_limit, internal.
  runtime::expected<model_loaded> load(const load_model& order);

  /// Errors: bad_input, memory_limit, internal (also when no model is loaded).
  runtime::expected<batch_result> run(const run_batch& order);

  /// Of the first dimension, over all requests of the batch.
  std::size_t rows_of(const run_batch& order) const;

  /// For the shell.
  std::string describe() const;

private:
  std::optional<models::model> model;
  models::model_spec spec;
  /// The model needs no file and no LibTorch.
  bool is_builtin = false;
  std::uint64_t batches = 0;
};

}  // namespace dim::actors
