#pragma once

#include "actors/store/model_messages.hpp"
#include "gateway/json_writer.hpp"

namespace dim::gateway {

/// Writes one version of a model, as the catalogue shows it.
void write_model(json_writer& out, const actors::model_entry& model);

/// Writes {"models": [...]}, one entry a version.
void write_models(json_writer& out, const actors::model_list& list);

}  // namespace dim::gateway
