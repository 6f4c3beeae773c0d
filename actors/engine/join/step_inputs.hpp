#pragma once

#include "actors/job/job_record.hpp"
#include "models/model_spec.hpp"
#include "models/tensor.hpp"
#include "runtime/errors.hpp"

namespace dim::actors {

/// The inputs of a step, made from the outputs of the step before it (chained pattern).
///
/// For every declared input, in the declared order: the output that `step.input_map` names for it;
/// else the output of the same name; else, where there is one input and one output, that output.
/// Names are changed, bytes are not. Outputs that no input asks for are dropped.
///
/// Error: bad_input, with every problem in `details`: an input without an output, a map that names
/// something unknown, another datatype or shape than declared.
runtime::expected<models::tensor_list> make_step_inputs(const step_spec& step,
                                                        const models::model_spec& model,
                                                        const models::tensor_list& outputs);

}  // namespace dim::actors
