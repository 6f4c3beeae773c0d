#pragma once

#include <string>
#include <vector>

#include "models/triton_config.hpp"

/// The way between a `model_spec` and the message of Triton's model configuration. Included by
/// sources only.
namespace dim::models {

namespace triton {
class ModelConfig;
}

/// Reads a message; what is wrong is added to `problems`.
triton_model from_message(const triton::ModelConfig& message, std::vector<std::string>& problems);

/// Writes a spec into an empty message.
void to_message(const model_spec& spec, triton::ModelConfig& message);

/// What Triton's `backend` says for a model of this kind; empty for an ensemble, which has none.
std::string_view backend_name(model_kind kind) noexcept;

}  // namespace dim::models
