#pragma once

#include "actors/router/messages.hpp"
#include "gateway/json_writer.hpp"

/// What is served, and what it has done, in the forms of the Open Inference Protocol.
namespace dim::gateway {

/// The metadata of `model`: {"name", "versions", "platform", "inputs", "outputs"}, where `versions`
/// are those of `all` that are ready, and shapes begin with -1 where the model batches.
void write_model_metadata(json_writer& out, const actors::served_models& all,
                          const actors::served_version& model);

/// The rows of the repository index: {"name", "version", "state", "reason"}. A model that was never
/// loaded has its name only.
void write_repository_index(json_writer& out, const actors::served_models& all, bool only_ready);

/// {"model_stats": [...]} of the statistics extension.
void write_model_statistics(json_writer& out, const actors::model_statistics_list& list);

}  // namespace dim::gateway
