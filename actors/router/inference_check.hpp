#pragma once

#include "actors/router/messages.hpp"
#include "models/model_spec.hpp"
#include "runtime/errors.hpp"

namespace dim::actors {

/// Checks a direct inference against what the model declares: names, types, shapes, rows, sizes of
/// the data, wanted outputs. `none`, or `bad_input` with the first problem, in the words that
/// clients of the Open Inference Protocol know. Pure.
runtime::failure check_inference(const models::model_spec& spec, const run_inference& request);

}  // namespace dim::actors
