#include "gateway/inference/served_model_json.hpp"

#include <set>

namespace dim::gateway {

namespace {

using actors::serving_state;

std::string_view platform_of(models::model_kind kind) {
  switch (kind) {
    case models::model_kind::torchscript:
      return "pytorch_torchscript";
    case models::model_kind::ensemble:
      return "ensemble";
    default:
      return "dim_builtin";
  }
}

std::string_view state_name(serving_state state) {
  switch (state) {
    case serving_state::ready:
      return "READY";
    case serving_state::unavailable:
      return "UNAVAILABLE";
    case serving_state::loading:
      return "LOADING";
    case serving_state::unloading:
      return "UNLOADING";
    case serving_state::unknown:
      break;
  }
  return "UNKNOWN";
}

void write_tensors(json_writer& out, std::string_view name, const models::model_spec& spec,
                   const std::vector<models::tensor_spec>& tensors) {
  out.key(name);
  out.begin_array();
  for (auto& each : tensors) {
    out.begin_object();
    out.member("name", each.name);
    out.member("datatype", models::to_string(each.type));
    out.key("shape");
    out.begin_array();
    if (spec.max_batch_size > 0)
      out.value(-1);
    for (auto dimension : each.dims)
      out.value(dimension);
    out.end_array();
    out.end_object();
  }
  out.end_array();
}

void write_duration(json_writer& out, std::string_view name, const actors::duration_count& x) {
  out.key(name);
  out.begin_object();
  out.member("count", x.count);
  out.member("ns", x.ns);
  out.end_object();
}

void write_inference_stats(json_writer& out, const actors::model_statistics& x) {
  out.key("inference_stats");
  out.begin_object();
  write_duration(out, "success", x.success);
  write_duration(out, "fail", x.fail);
  write_duration(out, "queue", x.queue);
  write_duration(out, "compute_input", x.input);
  write_duration(out, "compute_infer", x.forward);
  write_duration(out, "compute_output", x.output);
  write_duration(out, "cache_hit", x.cache_hit);
  write_duration(out, "cache_miss", x.cache_miss);
  out.end_object();
}

void write_batch_stats(json_writer& out, const actors::model_statistics& x) {
  out.key("batch_stats");
  out.begin_array();
  for (auto& [size, batches] : x.by_batch_size) {
    out.begin_object();
    out.member("batch_size", size);
    write_duration(out, "compute_input", batches.input);
    write_duration(out, "compute_infer", batches.forward);
    write_duration(out, "compute_output", batches.output);
    out.end_object();
  }
  out.end_array();
}

void write_statistics(json_writer& out, const actors::model_statistics& x) {
  out.begin_object();
  out.member("name", x.model);
  out.member("version", x.version);
  out.member("last_inference", x.last_inference_ms);
  out.member("inference_count", x.inference_count);
  out.member("execution_count", x.execution_count);
  write_inference_stats(out, x);
  out.key("response_stats");
  out.begin_object();
  out.end_object();
  write_batch_stats(out, x);
  out.key("memory_usage");
  out.begin_array();
  out.end_array();
  out.end_object();
}

}  // namespace

void write_model_metadata(json_writer& out, const actors::served_models& all,
                          const actors::served_version& model) {
  auto& spec = model.model.spec;
  out.begin_object();
  out.member("name", model.model.name);
  out.key("versions");
  out.begin_array();
  for (auto& each : all.versions)
    if (each.model.name == model.model.name && each.state == serving_state::ready)
      out.value(each.model.version);
  out.end_array();
  out.member("platform", platform_of(spec.kind));
  write_tensors(out, "inputs", spec, spec.inputs);
  write_tensors(out, "outputs", spec, spec.outputs);
  out.end_object();
}

void write_repository_index(json_writer& out, const actors::served_models& all, bool only_ready) {
  std::set<std::string_view> never_loaded;
  out.begin_array();
  for (auto& each : all.versions) {
    auto is_unknown = each.state == serving_state::unknown;
    if (only_ready && each.state != serving_state::ready)
      continue;
    if (is_unknown && !never_loaded.insert(each.model.name).second)
      continue;
    out.begin_object();
    out.member("name", each.model.name);
    if (!is_unknown) {
      out.member("version", each.model.version);
      out.member("state", state_name(each.state));
    }
    if (!each.reason.empty())
      out.member("reason", each.reason);
    out.end_object();
  }
  out.end_array();
}

void write_model_statistics(json_writer& out, const actors::model_statistics_list& list) {
  out.begin_object();
  out.key("model_stats");
  out.begin_array();
  for (auto& each : list.models)
    write_statistics(out, each);
  out.end_array();
  out.end_object();
}

}  // namespace dim::gateway
