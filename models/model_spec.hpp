#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/tensor.hpp"
#include "runtime/errors.hpp"

namespace dim::models {

/// One declared input or output.
struct tensor_spec {
  std::string name;
  datatype type = datatype::fp32;
  /// Without the batch dimension when the model batches; -1 is any size.
  std::vector<std::int64_t> dims;
  /// One label a class, in index order, for outputs that are class scores; else empty.
  std::vector<std::string> labels;

  bool operator==(const tensor_spec&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, tensor_spec& x) {
  return f(x.name, x.type, x.dims, x.labels);
}

/// Where INFERENCE runs.
enum class isolation : std::uint8_t { process, thread };

/// What `config.toml` beside a model's versions declares.
struct model_spec {
  std::string name;
  std::string description;
  std::vector<tensor_spec> inputs;
  std::vector<tensor_spec> outputs;
  /// Rows in one forward at the most; 0 means that the model has no batch dimension.
  std::int64_t max_batch_size = 0;
  isolation isolated = isolation::process;
  /// Longest time that the first request of a batch waits for others, in microseconds.
  std::uint32_t batch_delay_max_us = 0;
  /// Device memory that one agent of this model needs, in bytes; 0 when unknown.
  std::uint64_t memory_bytes = 0;

  bool operator==(const model_spec&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, model_spec& x) {
  return f(x.name, x.description, x.inputs, x.outputs, x.max_batch_size, x.isolated,
           x.batch_delay_max_us, x.memory_bytes);
}

/// Reads the text of a `config.toml`. The failure (`bad_input`) names every problem in `details`,
/// each with line and key.
runtime::expected<model_spec> parse_model_spec(std::string_view toml_text);

/// Writes the spec as a `config.toml` that `parse_model_spec` reads back equal.
std::string to_toml(const model_spec& spec);

/// Whether `name` may name a model: 1 to 128 of letters, digits, '.', '_' and '-', first a letter
/// or digit.
bool is_model_name(std::string_view name) noexcept;

/// Whether `version` is a whole number from 1 up, as text without leading zeros.
bool is_version(std::string_view version) noexcept;

/// Checks `inputs` against the declared ones: names, types, dims, equal batch, batch at most
/// `max_batch_size`. Each problem comes as "inputs[0].shape[1]: expected 64, got 63".
std::vector<std::string> check_inputs(const model_spec& spec, const tensor_list& inputs);

/// The number of rows that the inputs hold: the first dimension when the model batches, else 1.
std::int64_t row_count(const model_spec& spec, const tensor_list& inputs);

}  // namespace dim::models
