#pragma once

#include <cstddef>
#include <vector>

#include "models/model_spec.hpp"
#include "runtime/errors.hpp"

namespace at {
class Tensor;
}  // namespace at
namespace c10 {
struct IValue;
}  // namespace c10
namespace torch::jit {
struct Module;
}  // namespace torch::jit

/// What a program's forward takes and gives, and how declared tensors stand in it. Part of
/// `dim::models_torch`; LibTorch itself is seen only by the sources.
namespace dim::models {

/// Whether the program has a forward that can be called with as many tensors as there are inputs.
/// Errors: bad_model.
runtime::expected<void> check_forward(const torch::jit::Module& module, const model_spec& spec);

/// In a place of forward that no input is declared for.
inline constexpr auto no_input = static_cast<std::size_t>(-1);

/// Which declared input stands in which place of forward's arguments (see `argument_order`). Where
/// all names are arguments', and others between them have defaults, these places are `no_input`.
std::vector<std::size_t> input_order_of(const torch::jit::Module& module, const model_spec& spec);

/// What stands in each of these places when no input does: forward's default, or nothing that could
/// be used where the input is not optional. Errors: bad_model (forward has no default for an
/// optional input).
runtime::expected<std::vector<c10::IValue>> defaults_of(const torch::jit::Module& module,
                                                        const model_spec& spec,
                                                        const std::vector<std::size_t>& order);

/// What forward gave, as one tensor a declared output: a tensor, a tuple or list of tensors in the
/// places that `order` tells (see `argument_order`), or a dictionary by name. Errors: bad_model.
runtime::expected<std::vector<at::Tensor>> results_of(const c10::IValue& value,
                                                      const model_spec& spec,
                                                      const std::vector<std::size_t>& order);

}  // namespace dim::models
