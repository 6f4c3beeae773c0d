#pragma once

#include "actors/store/model_messages.hpp"
#include "gateway/json_writer.hpp"

namespace dim::gateway {

/// The configuration of a model as the model configuration extension shows it: the JSON form of
/// Triton's `ModelConfig`, with its own names of members.
void write_model_config(json_writer& out, const actors::model_entry& model);

}  // namespace dim::gateway
