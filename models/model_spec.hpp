#pragma once

#include <cstdint>
#include <map>
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
  /// Of an input: a request may leave it out, and the model then has a default of its own.
  bool is_optional = false;
  /// The model itself takes or gives `reshape` in place of `dims`: as many elements, and also
  /// without the batch dimension.
  bool is_reshaped = false;
  std::vector<std::int64_t> reshape = {};

  /// The dims that the model itself sees.
  const std::vector<std::int64_t>& model_dims() const noexcept {
    return is_reshaped ? reshape : dims;
  }
  bool operator==(const tensor_spec&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, tensor_spec& x) {
  return f(x.name, x.type, x.dims, x.labels, x.is_optional, x.is_reshaped, x.reshape);
}

/// Where INFERENCE runs.
enum class isolation : std::uint8_t { process, thread };

/// What runs a model: LibTorch, one of the built-in kinds, or other models.
///
/// `identity` gives each input back under the output's name in the same place; `add_sub` gives the
/// sum and the difference of its two inputs; `delay` is an identity that first waits for the
/// parameter `delay_ms`. `ensemble` runs its `steps` and has no file.
enum class model_kind : std::uint8_t { torchscript, identity, add_sub, delay, ensemble };

constexpr model_kind last_value(model_kind) noexcept {
  return model_kind::ensemble;
}

/// What happens to a request that has waited in an agent's queue for its whole queue timeout.
enum class timeout_action : std::uint8_t { reject, delay };

constexpr timeout_action last_value(timeout_action) noexcept {
  return timeout_action::delay;
}

/// How requests of one priority wait (Triton's `ModelQueuePolicy`).
struct queue_policy {
  timeout_action on_timeout = timeout_action::reject;
  /// 0: as long as the request's deadline allows.
  std::uint64_t default_timeout_us = 0;
  /// A request may name a timeout of its own, which may only shorten a default one.
  bool allow_timeout_override = false;
  /// Requests that may wait; 0: no limit but the agent's own.
  std::uint32_t queue_max = 0;

  bool operator==(const queue_policy&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, queue_policy& x) {
  return f(x.on_timeout, x.default_timeout_us, x.allow_timeout_override, x.queue_max);
}

/// How requests are gathered, beside `max_batch_size` and `batch_delay_max_us` (Triton's
/// `ModelDynamicBatching`).
struct batching_policy {
  /// A batch of one of these sizes leaves at once; ascending.
  std::vector<std::int64_t> preferred_sizes;
  bool preserve_ordering = false;
  /// 0: there are no priorities. Else 1 (first) to this number.
  std::uint32_t priority_levels = 0;
  std::uint32_t default_priority = 0;
  queue_policy default_queue;
  std::map<std::uint32_t, queue_policy> queue_by_priority;

  bool operator==(const batching_policy&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, batching_policy& x) {
  return f(x.preferred_sizes, x.preserve_ordering, x.priority_levels, x.default_priority,
           x.default_queue, x.queue_by_priority);
}

enum class instance_kind : std::uint8_t { automatic, cpu, gpu };

constexpr instance_kind last_value(instance_kind) noexcept {
  return instance_kind::gpu;
}

inline constexpr std::uint32_t instances_max = 64;

/// Workers of a model that run side by side on every device of a kind. Groups add up, to at most
/// `instances_max` on one device (models/instances.hpp).
struct instance_group {
  /// 1 to `instances_max`.
  std::uint32_t count = 1;
  instance_kind kind = instance_kind::automatic;
  /// Numbers of the GPUs to use; empty: any.
  std::vector<std::uint32_t> gpus;

  bool operator==(const instance_group&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, instance_group& x) {
  return f(x.count, x.kind, x.gpus);
}

enum class version_choice : std::uint8_t { latest, all, specific };

constexpr version_choice last_value(version_choice) noexcept {
  return version_choice::specific;
}

/// Which versions of a model are served.
struct version_policy {
  version_choice choice = version_choice::latest;
  /// For `latest`: how many of the highest.
  std::uint32_t count = 1;
  /// For `specific`.
  std::vector<std::uint64_t> versions;

  bool operator==(const version_policy&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, version_policy& x) {
  return f(x.choice, x.count, x.versions);
}

/// One step of an ensemble. Maps go from the step's own tensor names to the ensemble's.
struct ensemble_step {
  std::string model;
  /// Empty: the highest that is served.
  std::string version;
  std::map<std::string, std::string> inputs;
  std::map<std::string, std::string> outputs;

  bool operator==(const ensemble_step&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, ensemble_step& x) {
  return f(x.model, x.version, x.inputs, x.outputs);
}

enum class warm_up_data : std::uint8_t { zeros, random };

constexpr warm_up_data last_value(warm_up_data) noexcept {
  return warm_up_data::random;
}

/// A request that a worker runs before it serves, `count` times.
struct warm_up_request {
  std::string name;
  std::int64_t rows = 1;
  std::uint32_t count = 1;
  warm_up_data data = warm_up_data::zeros;
  /// Dims of the inputs whose declared dims are open, by name, without the batch dimension.
  std::map<std::string, std::vector<std::int64_t>> dims;

  bool operator==(const warm_up_request&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, warm_up_request& x) {
  return f(x.name, x.rows, x.count, x.data, x.dims);
}

/// What `config.toml` (or Triton's `config.pbtxt`) beside a model's versions declares.
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
  model_kind kind = model_kind::torchscript;
  batching_policy batching;
  /// None: one worker on a device, as the default group.
  std::vector<instance_group> instances;
  version_policy served;
  std::vector<warm_up_request> warm_up;
  /// For an ensemble, in order.
  std::vector<ensemble_step> steps;
  /// Answers are kept and given again for the same inputs.
  bool response_cache = false;
  /// Text parameters, such as `delay_ms`.
  std::map<std::string, std::string> parameters;
  /// The program in each version's folder, of a TorchScript model.
  std::string file_name = "model.pt";

  bool operator==(const model_spec&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, model_spec& x) {
  return f(x.name, x.description, x.inputs, x.outputs, x.max_batch_size, x.isolated,
           x.batch_delay_max_us, x.memory_bytes, x.kind, x.batching, x.instances, x.served,
           x.warm_up, x.steps, x.response_cache, x.parameters, x.file_name);
}

/// Reads the text of a `config.toml`. The failure (`bad_input`) names every problem in `details`,
/// each with line and key.
runtime::expected<model_spec> parse_model_spec(std::string_view toml_text);

/// Writes the spec as a `config.toml` that `parse_model_spec` reads back equal.
std::string to_toml(const model_spec& spec);

/// Whether `name` may name a model: 1 to 128 of letters, digits, '.', '_' and '-', first a letter
/// or digit.
bool is_model_name(std::string_view name) noexcept;

/// Whether `name` names a file in the folder at hand: not a path, and not hidden.
bool is_plain_file_name(std::string_view name) noexcept;

/// Whether `version` is a whole number from 1 up, as text without leading zeros.
bool is_version(std::string_view version) noexcept;

/// Checks `inputs` against the declared ones: names, types, dims, equal batch, batch at most
/// `max_batch_size`; at least one is there, and only optional ones may be missing. Each problem
/// comes as "inputs[0].shape[1]: expected 64, got 63".
std::vector<std::string> check_inputs(const model_spec& spec, const tensor_list& inputs);

/// The number of rows that the inputs hold: the first dimension when the model batches, else 1.
std::int64_t row_count(const model_spec& spec, const tensor_list& inputs);

}  // namespace dim::models
