#include "gateway/model_json.hpp"

namespace dim::gateway {

namespace {

void write_dims(json_writer& out, std::string_view name, const std::vector<std::int64_t>& dims) {
  out.key(name);
  out.begin_array();
  for (auto dimension : dims)
    out.value(dimension);
  out.end_array();
}

void write_tensor_specs(json_writer& out, std::string_view name,
                        const std::vector<models::tensor_spec>& specs) {
  out.key(name);
  out.begin_array();
  for (auto& spec : specs) {
    out.begin_object();
    out.member("name", spec.name);
    out.member("datatype", models::to_string(spec.type));
    write_dims(out, "dims", spec.dims);
    if (spec.is_reshaped)
      write_dims(out, "reshape", spec.reshape);
    else
      out.member("reshape", nullptr);
    out.member("optional", spec.is_optional);
    out.key("labels");
    out.begin_array();
    for (auto& label : spec.labels)
      out.value(label);
    out.end_array();
    out.end_object();
  }
  out.end_array();
}

}  // namespace

void write_model(json_writer& out, const actors::model_entry& model) {
  auto& spec = model.spec;
  out.begin_object();
  out.member("name", model.name);
  out.member("version", model.version);
  out.member("digest", model.digest);
  out.member("byte_size", model.byte_size);
  out.time_or_null("created_at", model.created_at);
  out.text_or_null("description", spec.description);
  write_tensor_specs(out, "inputs", spec.inputs);
  write_tensor_specs(out, "outputs", spec.outputs);
  out.member("max_batch_size", spec.max_batch_size);
  out.member("batch_delay_max_us", spec.batch_delay_max_us);
  out.member("isolation", spec.isolated == models::isolation::process ? "process" : "thread");
  out.member("memory_bytes", spec.memory_bytes);
  out.end_object();
}

void write_models(json_writer& out, const actors::model_list& list) {
  out.begin_object();
  out.key("models");
  out.begin_array();
  for (auto& each : list.models)
    write_model(out, each);
  out.end_array();
  out.end_object();
}

}  // namespace dim::gateway
