#include "models/triton_fields.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <set>

#include "models/triton_config.pb.h"
#include "models/triton_config.hpp"
#include "models/triton_instances.hpp"

namespace dim::models {

namespace {

// By the number that the format gives them; 0 is none.
constexpr std::array<datatype, 15> types{
  datatype::fp32,   datatype::boolean, datatype::uint8, datatype::uint16, datatype::uint32,
  datatype::uint64, datatype::int8,    datatype::int16, datatype::int32,  datatype::int64,
  datatype::fp16,   datatype::fp32,    datatype::fp64,  datatype::bytes,  datatype::bf16};

constexpr std::uint64_t batch_delay_max = 60'000'000;
constexpr std::string_view isolation_key = "isolation";

/// Parameters by which Triton's backend for PyTorch is set up, and which set up nothing here.
constexpr std::array<std::string_view, 10> backend_parameters{
  "DISABLE_CUDNN",         "DISABLE_OPTIMIZED_EXECUTION",
  "ENABLE_CACHE_CLEANING", "ENABLE_JIT_EXECUTOR",
  "ENABLE_JIT_PROFILING",  "ENABLE_TENSOR_FUSER",
  "ENABLE_WEIGHT_SHARING", "INFERENCE_MODE",
  "INTER_OP_THREAD_COUNT", "INTRA_OP_THREAD_COUNT"};

triton::DataType number_of(datatype type) {
  const auto found = std::find(types.begin() + 1, types.end(), type);
  return static_cast<triton::DataType>(found - types.begin());
}

std::optional<model_kind> kind_of(const triton::ModelConfig& message) {
  const std::string& backend = message.backend();
  const std::string& platform = message.platform();
  if (platform == "ensemble" || message.has_ensemble_scheduling())
    return model_kind::ensemble;
  if (backend == "pytorch" || backend == "libtorch" || platform == "pytorch_libtorch"
      || platform == "pytorch_torchscript")
    return model_kind::torchscript;
  for (const model_kind kind : {model_kind::identity, model_kind::add_sub, model_kind::delay})
    if (backend == backend_name(kind))
      return kind;
  return std::nullopt;
}

template <class Message>
tensor_spec tensor_from(const Message& message, std::vector<std::string>& problems) {
  tensor_spec declared;
  declared.name = message.name();
  const auto type = static_cast<std::size_t>(message.data_type());
  if (type == 0 || type >= types.size())
    problems.push_back("\"" + message.name() + "\" has no data_type");
  else
    declared.type = types[type];
  declared.dims.assign(message.dims().begin(), message.dims().end());
  declared.is_reshaped = message.has_reshape();
  declared.reshape.assign(message.reshape().shape().begin(), message.reshape().shape().end());
  return declared;
}

template <class Message>
void write_tensor(const tensor_spec& declared, Message& message) {
  message.set_name(declared.name);
  message.set_data_type(number_of(declared.type));
  for (const std::int64_t dim : declared.dims)
    message.add_dims(dim);
  if (!declared.is_reshaped)
    return;
  auto& shape = *message.mutable_reshape();
  for (const std::int64_t dim : declared.reshape)
    shape.add_shape(dim);
}

queue_policy policy_from(const triton::ModelQueuePolicy& message) {
  return {message.timeout_action() == triton::ModelQueuePolicy::DELAY ? timeout_action::delay
                                                                      : timeout_action::reject,
          message.default_timeout_microseconds(), message.allow_timeout_override(),
          message.max_queue_size()};
}

/// Numbers beyond what is kept of them stay beyond what a configuration may say.
std::uint32_t narrowed(std::uint64_t number) {
  return static_cast<std::uint32_t>(
    std::min<std::uint64_t>(number, std::numeric_limits<std::uint32_t>::max()));
}

void read_batching(const triton::ModelDynamicBatching& message, model_spec& spec,
                   std::vector<std::string>& problems) {
  spec.batch_delay_max_us = static_cast<std::uint32_t>(
    std::min(message.max_queue_delay_microseconds(), batch_delay_max));
  batching_policy& batching = spec.batching;
  batching.preferred_sizes.assign(message.preferred_batch_size().begin(),
                                  message.preferred_batch_size().end());
  std::sort(batching.preferred_sizes.begin(), batching.preferred_sizes.end());
  batching.preserve_ordering = message.preserve_ordering();
  batching.priority_levels = narrowed(message.priority_levels());
  batching.default_priority = narrowed(message.default_priority_level());
  batching.default_queue = policy_from(message.default_queue_policy());
  for (const auto& [level, policy] : message.priority_queue_policy())
    if (narrowed(level) == level)
      batching.queue_by_priority.emplace(narrowed(level), policy_from(policy));
    else
      problems.push_back("the queue policy of priority " + std::to_string(level)
                         + " belongs to no priority level");
}

void read_steps(const triton::ModelEnsembling& message, model_spec& spec) {
  for (const auto& each : message.step()) {
    ensemble_step step;
    step.model = each.model_name();
    if (each.model_version() > 0)
      step.version = std::to_string(each.model_version());
    step.inputs.insert(each.input_map().begin(), each.input_map().end());
    step.outputs.insert(each.output_map().begin(), each.output_map().end());
    spec.steps.push_back(std::move(step));
  }
}

/// The format leaves the order of steps open: each goes behind those whose outputs it needs.
void order_steps(model_spec& spec) {
  std::set<std::string> known;
  for (const tensor_spec& input : spec.inputs)
    known.insert(input.name);
  for (auto next = spec.steps.begin(); next != spec.steps.end(); ++next) {
    const auto ready = std::find_if(next, spec.steps.end(), [&](const ensemble_step& step) {
      return std::all_of(step.inputs.begin(), step.inputs.end(),
                         [&](const auto& map) { return known.contains(map.second); });
    });
    if (ready == spec.steps.end())
      return;
    std::rotate(next, ready, std::next(ready));
    for (const auto& [own, name] : next->outputs)
      known.insert(name);
  }
}

void read_versions(const triton::ModelVersionPolicy& message, version_policy& served) {
  if (message.has_all()) {
    served.choice = version_choice::all;
  } else if (message.has_specific()) {
    served.choice = version_choice::specific;
    for (const std::int64_t version : message.specific().versions())
      served.versions.push_back(static_cast<std::uint64_t>(version));
  } else if (message.has_latest()) {
    served.count = std::max(1u, message.latest().num_versions());
  }
}

void read_warm_up(const triton::ModelConfig& message, model_spec& spec) {
  for (const auto& each : message.model_warmup()) {
    warm_up_request request;
    request.name = each.name();
    request.rows = std::max(1u, each.batch_size());
    request.count = std::max(1u, each.count());
    for (const auto& [name, input] : each.inputs()) {
      request.dims[name].assign(input.dims().begin(), input.dims().end());
      if (input.random_data())
        request.data = warm_up_data::random;
    }
    spec.warm_up.push_back(std::move(request));
  }
}

/// Settings that are read, and shown, and have no effect here.
void name_unused(const triton::ModelConfig& message, triton_model& model) {
  if (message.dynamic_batching().preserve_ordering())
    model.unused.push_back("dynamic_batching.preserve_ordering");
  for (int index = 0; index < message.instance_group_size(); ++index)
    if (message.instance_group(index).kind() == triton::ModelInstanceGroup::KIND_MODEL)
      model.unused.push_back("instance_group[" + std::to_string(index) + "].kind=KIND_MODEL");
  if (model.spec.kind != model_kind::torchscript)
    return;
  for (const std::string_view key : backend_parameters)
    if (model.spec.parameters.contains(std::string{key}))
      model.unused.push_back("parameters." + std::string{key});
}

void write_policy(const queue_policy& policy, triton::ModelQueuePolicy& message) {
  message.set_timeout_action(policy.on_timeout == timeout_action::delay
                               ? triton::ModelQueuePolicy::DELAY
                               : triton::ModelQueuePolicy::REJECT);
  message.set_default_timeout_microseconds(policy.default_timeout_us);
  message.set_allow_timeout_override(policy.allow_timeout_override);
  message.set_max_queue_size(policy.queue_max);
}

void write_batching(const model_spec& spec, triton::ModelDynamicBatching& message) {
  const batching_policy& batching = spec.batching;
  for (const std::int64_t size : batching.preferred_sizes)
    message.add_preferred_batch_size(static_cast<std::int32_t>(size));
  message.set_max_queue_delay_microseconds(spec.batch_delay_max_us);
  message.set_preserve_ordering(batching.preserve_ordering);
  message.set_priority_levels(batching.priority_levels);
  message.set_default_priority_level(batching.default_priority);
  if (batching.default_queue != queue_policy{})
    write_policy(batching.default_queue, *message.mutable_default_queue_policy());
  for (const auto& [level, policy] : batching.queue_by_priority)
    write_policy(policy, (*message.mutable_priority_queue_policy())[level]);
}

void write_steps(const model_spec& spec, triton::ModelEnsembling& message) {
  for (const ensemble_step& each : spec.steps) {
    auto& step = *message.add_step();
    step.set_model_name(each.model);
    step.set_model_version(each.version.empty() ? -1 : std::stoll(each.version));
    step.mutable_input_map()->insert(each.inputs.begin(), each.inputs.end());
    step.mutable_output_map()->insert(each.outputs.begin(), each.outputs.end());
  }
}

void write_versions(const version_policy& served, triton::ModelVersionPolicy& message) {
  if (served.choice == version_choice::all)
    message.mutable_all();
  else if (served.choice == version_choice::latest)
    message.mutable_latest()->set_num_versions(served.count);
  else
    for (const std::uint64_t version : served.versions)
      message.mutable_specific()->add_versions(static_cast<std::int64_t>(version));
}

void write_warm_up(const model_spec& spec, triton::ModelConfig& message) {
  for (const warm_up_request& each : spec.warm_up) {
    auto& request = *message.add_model_warmup();
    request.set_name(each.name);
    request.set_batch_size(static_cast<std::uint32_t>(each.rows));
    request.set_count(each.count);
    for (const tensor_spec& declared : spec.inputs) {
      auto& input = (*request.mutable_inputs())[declared.name];
      input.set_data_type(number_of(declared.type));
      const auto own = each.dims.find(declared.name);
      for (const std::int64_t dim : own == each.dims.end() ? declared.dims : own->second)
        input.add_dims(dim);
      if (each.data == warm_up_data::random)
        input.set_random_data(true);
      else
        input.set_zero_data(true);
    }
  }
}

}  // namespace

std::string_view backend_name(model_kind kind) noexcept {
  switch (kind) {
    case model_kind::torchscript:
      return "pytorch";
    case model_kind::identity:
      return "identity";
    case model_kind::add_sub:
      return "add_sub";
    case model_kind::delay:
      return "delay";
    case model_kind::ensemble:
      return "";
  }
  return "";
}

triton_model from_message(const triton::ModelConfig& message, std::vector<std::string>& problems) {
  triton_model model;
  model_spec& spec = model.spec;
  spec.name = message.name();
  if (const auto kind = kind_of(message))
    spec.kind = *kind;
  else
    problems.push_back("backend \"" + message.backend() + "\", platform \"" + message.platform()
                       + "\": expected the backend pytorch, identity, add_sub or delay, or the "
                         "platform pytorch_libtorch or ensemble");
  if (spec.kind == model_kind::torchscript && !message.default_model_filename().empty())
    spec.file_name = message.default_model_filename();
  spec.max_batch_size = message.max_batch_size();
  for (const auto& input : message.input()) {
    spec.inputs.push_back(tensor_from(input, problems));
    spec.inputs.back().is_optional = input.optional();
  }
  for (const auto& output : message.output()) {
    spec.outputs.push_back(tensor_from(output, problems));
    spec.outputs.back().labels.assign(output.labels().begin(), output.labels().end());
    if (!output.label_filename().empty())
      model.label_files.emplace(output.name(), output.label_filename());
  }
  read_versions(message.version_policy(), spec.served);
  spec.instances = read_instances(message, problems);
  read_warm_up(message, spec);
  read_batching(message.dynamic_batching(), spec, problems);
  read_steps(message.ensemble_scheduling(), spec);
  order_steps(spec);
  spec.response_cache = message.response_cache().enable();
  for (const auto& [key, value] : message.parameters())
    if (key == isolation_key)
      spec.isolated = value.string_value() == "thread" ? isolation::thread : isolation::process;
    else
      spec.parameters.emplace(key, value.string_value());
  if (message.model_transaction_policy().decoupled())
    problems.push_back("a decoupled model can not be served");
  name_unused(message, model);
  return model;
}

bool has_batching(const model_spec& spec) {
  return spec.max_batch_size > 0 || spec.batch_delay_max_us > 0
         || spec.batching != batching_policy{};
}

void to_message(const model_spec& spec, triton::ModelConfig& message) {
  message.set_name(spec.name);
  message.set_backend(std::string{backend_name(spec.kind)});
  if (spec.kind == model_kind::torchscript)
    message.set_platform("pytorch_libtorch");
  if (spec.kind == model_kind::ensemble)
    message.set_platform("ensemble");
  if (spec.kind == model_kind::torchscript)
    message.set_default_model_filename(spec.file_name);
  write_versions(spec.served, *message.mutable_version_policy());
  message.set_max_batch_size(static_cast<std::int32_t>(
    std::min<std::int64_t>(spec.max_batch_size, std::numeric_limits<std::int32_t>::max())));
  for (const tensor_spec& each : spec.inputs) {
    auto& input = *message.add_input();
    write_tensor(each, input);
    input.set_optional(each.is_optional);
  }
  for (const tensor_spec& each : spec.outputs)
    write_tensor(each, *message.add_output());
  if (spec.kind == model_kind::ensemble)
    write_steps(spec, *message.mutable_ensemble_scheduling());
  else if (has_batching(spec))
    write_batching(spec, *message.mutable_dynamic_batching());
  if (spec.kind != model_kind::ensemble)
    write_instances(spec.name, spec.instances, message);
  write_warm_up(spec, message);
  for (const auto& [key, value] : spec.parameters)
    (*message.mutable_parameters())[key].set_string_value(value);
  if (spec.isolated == isolation::thread)
    (*message.mutable_parameters())[std::string{isolation_key}].set_string_value("thread");
  message.mutable_response_cache()->set_enable(spec.response_cache);
  message.mutable_model_transaction_policy()->set_decoupled(false);
}

}  // namespace dim::models
