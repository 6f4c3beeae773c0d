#pragma once

#include <string>

#include "actors/node/messages.hpp"
#include "actors/store/model_messages.hpp"
#include "models/model_spec.hpp"

/// The smallest inference that a node can be tried with. Pure.
namespace dim::actors {

/// Inputs of zeros that fit `spec`: one row, every free dimension of size 1, empty texts.
models::tensor_list zero_inputs(const models::model_spec& spec);

/// The order for a probe of `model`: alone in its batch, before all other work, with the least of
/// resources.
run_execution canary_order(const std::string& execution_id, const model_entry& model,
                           std::uint64_t time_left_ms);

/// What is wrong with an answer's bytes; empty when every attached output has its digest.
std::string damage_of(const models::tensor_list& outputs);

}  // namespace dim::actors
