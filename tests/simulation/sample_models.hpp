#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "models/tensor.hpp"
#include "runtime/random_source.hpp"

/// The models of a simulated cluster: files without a network in them, whose answers are computed
/// here from the inputs, so that everybody can tell the right answer from a wrong one.
namespace dim::simulation {

/// "sim-a", "sim-b", "sim-c": one FP32 input "x" and one output "y" of four class scores a row, so
/// that they can vote and feed each other.
const std::vector<std::string>& sample_model_names();

/// Writes them as a model repository.
void write_sample_models(const std::filesystem::path& repository);

/// Writes the cabinet "ward", a few rows of inputs that differ from node to node.
void write_sample_cabinet(const std::filesystem::path& folder, std::uint64_t number);

/// A few rows, and one time in `large_in` (0: never) so many that inputs and outputs of these
/// models are too large for a message.
std::int64_t sample_rows(runtime::random_source& random, std::uint64_t large_in);

/// An input of `rows` rows that `number` determines.
models::tensor sample_input(std::uint64_t number, std::int64_t rows);

/// What `model` answers to these inputs.
models::tensor_list right_answer(const std::string& model, const models::tensor_list& inputs);

/// An answer that no right one agrees with, and no other wrong one of another `number`.
models::tensor_list wrong_answer(const std::string& model, const models::tensor_list& inputs,
                                 std::uint64_t number);

}  // namespace dim::simulation
