#include "gateway/inference/model_config_json.hpp"

#include <charconv>

#include "models/triton_config.hpp"

namespace dim::gateway {

namespace {

using models::model_kind;
using models::model_spec;

void write_type(json_writer& out, models::datatype type) {
  std::string name{models::to_string(type)};
  out.member("data_type", type == models::datatype::bytes ? "TYPE_STRING" : "TYPE_" + name);
}

void write_dims(json_writer& out, const std::vector<std::int64_t>& dims,
                std::string_view name = "dims") {
  out.key(name);
  out.begin_array();
  for (auto dimension : dims)
    out.value(dimension);
  out.end_array();
}

void write_tensors(json_writer& out, std::string_view name,
                   const std::vector<models::tensor_spec>& tensors, bool are_inputs) {
  out.key(name);
  out.begin_array();
  for (auto& each : tensors) {
    out.begin_object();
    out.member("name", each.name);
    write_type(out, each.type);
    write_dims(out, each.dims);
    if (each.is_reshaped) {
      out.key("reshape");
      out.begin_object();
      write_dims(out, each.reshape, "shape");
      out.end_object();
    }
    if (are_inputs)
      out.member("optional", each.is_optional);
    if (!each.labels.empty())
      out.member("label_filename", models::shown_label_file);
    out.end_object();
  }
  out.end_array();
}

void write_version_policy(json_writer& out, const models::version_policy& policy) {
  out.key("version_policy");
  out.begin_object();
  switch (policy.choice) {
    case models::version_choice::latest:
      out.key("latest");
      out.begin_object();
      out.member("num_versions", policy.count);
      break;
    case models::version_choice::all:
      out.key("all");
      out.begin_object();
      break;
    case models::version_choice::specific:
      out.key("specific");
      out.begin_object();
      out.key("versions");
      out.begin_array();
      for (auto each : policy.versions)
        out.value(each);
      out.end_array();
      break;
  }
  out.end_object();
  out.end_object();
}

void write_queue_policy(json_writer& out, const models::queue_policy& policy) {
  out.begin_object();
  out.member("timeout_action",
             policy.on_timeout == models::timeout_action::delay ? "DELAY" : "REJECT");
  out.member("default_timeout_microseconds", policy.default_timeout_us);
  out.member("allow_timeout_override", policy.allow_timeout_override);
  out.member("max_queue_size", policy.queue_max);
  out.end_object();
}

void write_batching(json_writer& out, const model_spec& spec) {
  auto& batching = spec.batching;
  out.key("dynamic_batching");
  out.begin_object();
  out.key("preferred_batch_size");
  out.begin_array();
  for (auto size : batching.preferred_sizes)
    out.value(size);
  out.end_array();
  out.member("max_queue_delay_microseconds", spec.batch_delay_max_us);
  out.member("preserve_ordering", batching.preserve_ordering);
  out.member("priority_levels", batching.priority_levels);
  out.member("default_priority_level", batching.default_priority);
  out.key("default_queue_policy");
  write_queue_policy(out, batching.default_queue);
  out.key("priority_queue_policy");
  out.begin_object();
  for (auto& [level, policy] : batching.queue_by_priority) {
    out.key(std::to_string(level));
    write_queue_policy(out, policy);
  }
  out.end_object();
  out.end_object();
}

void write_instances(json_writer& out, const model_spec& spec) {
  auto groups = spec.instances;
  if (groups.empty())
    groups.emplace_back();
  out.key("instance_group");
  out.begin_array();
  for (std::size_t index = 0; index < groups.size(); ++index) {
    auto& group = groups[index];
    out.begin_object();
    out.member("name", spec.name + "_" + std::to_string(index));
    out.member("kind", group.kind == models::instance_kind::gpu   ? "KIND_GPU"
                       : group.kind == models::instance_kind::cpu ? "KIND_CPU"
                                                                  : "KIND_AUTO");
    out.member("count", group.count);
    out.key("gpus");
    out.begin_array();
    for (auto number : group.gpus)
      out.value(number);
    out.end_array();
    out.end_object();
  }
  out.end_array();
}

void write_map(json_writer& out, std::string_view name,
               const std::map<std::string, std::string>& map) {
  out.key(name);
  out.begin_object();
  for (auto& [from, to] : map)
    out.member(from, to);
  out.end_object();
}

void write_steps(json_writer& out, const model_spec& spec) {
  out.key("ensemble_scheduling");
  out.begin_object();
  out.key("step");
  out.begin_array();
  for (auto& each : spec.steps) {
    std::int64_t version = -1;
    std::from_chars(each.version.data(), each.version.data() + each.version.size(), version);
    out.begin_object();
    out.member("model_name", each.model);
    out.member("model_version", version);
    write_map(out, "input_map", each.inputs);
    write_map(out, "output_map", each.outputs);
    out.end_object();
  }
  out.end_array();
  out.end_object();
}

void write_warm_up(json_writer& out, const model_spec& spec) {
  out.key("model_warmup");
  out.begin_array();
  for (auto& each : spec.warm_up) {
    out.begin_object();
    out.member("name", each.name);
    out.member("batch_size", each.rows);
    out.key("inputs");
    out.begin_object();
    for (auto& input : spec.inputs) {
      auto own = each.dims.find(input.name);
      out.key(input.name);
      out.begin_object();
      write_type(out, input.type);
      write_dims(out, own == each.dims.end() ? input.dims : own->second);
      out.member(each.data == models::warm_up_data::zeros ? "zero_data" : "random_data", true);
      out.end_object();
    }
    out.end_object();
    out.member("count", each.count);
    out.end_object();
  }
  out.end_array();
}

void write_parameters(json_writer& out, const model_spec& spec) {
  out.key("parameters");
  out.begin_object();
  for (auto& [name, value] : spec.parameters) {
    out.key(name);
    out.begin_object();
    out.member("string_value", value);
    out.end_object();
  }
  out.end_object();
}

std::string_view platform_of(model_kind kind) {
  if (kind == model_kind::torchscript)
    return "pytorch_libtorch";
  return kind == model_kind::ensemble ? "ensemble" : "";
}

std::string_view backend_of(model_kind kind) {
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
      break;
  }
  return "";
}

}  // namespace

void write_model_config(json_writer& out, const actors::model_entry& model) {
  auto& spec = model.spec;
  auto is_ensemble = spec.kind == model_kind::ensemble;
  out.begin_object();
  out.member("name", model.name);
  out.member("platform", platform_of(spec.kind));
  out.member("backend", backend_of(spec.kind));
  write_version_policy(out, spec.served);
  out.member("max_batch_size", spec.max_batch_size);
  write_tensors(out, "input", spec.inputs, true);
  write_tensors(out, "output", spec.outputs, false);
  out.member("default_model_filename", spec.kind == model_kind::torchscript ? spec.file_name : "");
  if (is_ensemble)
    write_steps(out, spec);
  else
    write_instances(out, spec);
  if (!is_ensemble && models::has_batching(spec))
    write_batching(out, spec);
  write_parameters(out, spec);
  write_warm_up(out, spec);
  out.key("response_cache");
  out.begin_object();
  out.member("enable", spec.response_cache);
  out.end_object();
  out.key("model_transaction_policy");
  out.begin_object();
  out.member("decoupled", false);
  out.end_object();
  out.end_object();
}

}  // namespace dim::gateway
