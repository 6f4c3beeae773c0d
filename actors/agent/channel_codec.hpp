#pragma once

#include <cstdint>
#include <variant>

#include <caf/actor_system.hpp>

#include "actors/agent/messages.hpp"
#include "runtime/channel_frame.hpp"

/// The messages of INFERENCE as frames of a channel in shared memory: what is no tensor data is
/// encoded as between processes of the cluster, and each tensor's bytes are a blob of their own.
namespace dim::actors {

using inference_question = std::variant<load_model, run_batch>;
using inference_reply = std::variant<model_loaded, batch_result, runtime::failure>;

/// `number` names the question in its reply. The tensors' bytes are shared, not copied.
runtime::channel_frame to_frame(caf::actor_system& system, std::uint64_t number,
                                inference_question question);
runtime::channel_frame to_frame(caf::actor_system& system, std::uint64_t number,
                                inference_reply reply);

/// Errors: protocol_mismatch (no such message can be read from it).
runtime::expected<inference_question> question_of(caf::actor_system& system,
                                                  runtime::channel_frame frame);
runtime::expected<inference_reply> reply_of(caf::actor_system& system,
                                            runtime::channel_frame frame);

}  // namespace dim::actors
