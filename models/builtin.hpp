#pragma once

#include "models/model_spec.hpp"
#include "models/tensor.hpp"
#include "runtime/errors.hpp"

namespace dim::models {

/// Whether models of this kind run without a file, by `run_builtin`.
bool is_builtin(model_kind kind) noexcept;

/// Whether models of this kind give each input back as the output in the same place.
bool repeats_inputs(model_kind kind) noexcept;

/// One forward of a built-in model on inputs that `check_inputs` has accepted. `identity` and
/// `delay` share their inputs' bytes, and give no output in the place of an input that is left out;
/// `delay` blocks for the parameter `delay_ms` first. `add_sub`
/// wraps around where whole numbers overflow; elements of BYTES are whole numbers as text, as are
/// their sum and difference. The outputs' digests are empty. Errors: bad_input (a text that is no
/// whole number, or data of a wrong size), internal (the kind is none of these).
runtime::expected<tensor_list> run_builtin(const model_spec& spec, const tensor_list& inputs);

}  // namespace dim::models
