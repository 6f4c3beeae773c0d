#include "models/triton_config.hpp"

#include <utility>

#include "models/model_spec_check.hpp"
#include "models/triton_config.pb.h"
#include "models/triton_fields.hpp"
#include "models/triton_message.hpp"

namespace dim::models {

namespace {

using runtime::error_code;

runtime::expected<triton_model> checked(const triton::ModelConfig& message) {
  std::vector<std::string> problems;
  triton_model model = from_message(message, problems);
  if (!is_plain_file_name(model.spec.file_name))
    problems.push_back("default_model_filename: expected the plain name of a file");
  for (const auto& [output, file] : model.label_files)
    if (!is_plain_file_name(file))
      problems.push_back("label_filename: expected the plain name of a file");
  for (std::string& problem : check_model_spec(model.spec))
    problems.push_back(std::move(problem));
  if (!problems.empty())
    return runtime::fail(error_code::bad_input, problems.front(), problems);
  return model;
}

/// Labels stand in files of their own, and memory in no field: they stay, but for labels that are
/// there anew. The program stays where it is.
void keep_own_fields(model_spec& spec, const model_spec& base) {
  spec.description = base.description;
  spec.memory_bytes = base.memory_bytes;
  if (spec.kind == base.kind)
    spec.file_name = base.file_name;
  for (tensor_spec& output : spec.outputs)
    for (const tensor_spec& old : base.outputs)
      if (output.labels.empty() && old.name == output.name && old.dims == output.dims)
        output.labels = old.labels;
}

/// The configuration in JSON, laid over `base`.
runtime::expected<triton_model> read_json(std::string_view json, const model_spec& base) {
  triton::ModelConfig over;
  if (auto read = read_message_json(json, over); !read)
    return tl::unexpected(read.error());
  triton::ModelConfig message;
  to_message(base, message);
  if (over.has_ensemble_scheduling() || !over.platform().empty() || !over.backend().empty()) {
    message.clear_backend();
    message.clear_platform();
  } else {
    // Empty ones do not say what runs the model.
    over.clear_backend();
    over.clear_platform();
  }
  lay_over(message, over);
  message.set_name(base.name);
  auto model = checked(message);
  if (model && !over.name().empty() && over.name() != base.name)
    return runtime::fail(error_code::bad_input, "the configuration names the model \""
                                                  + over.name() + "\", not \"" + base.name + "\"");
  return model;
}

}  // namespace

runtime::expected<triton_model> parse_triton_text(std::string_view text) {
  triton::ModelConfig message;
  std::vector<std::string> unknown;
  if (auto read = read_message_text(text, message, unknown); !read)
    return tl::unexpected(read.error());
  auto model = checked(message);
  if (model)
    model->unused.insert(model->unused.begin(), unknown.begin(), unknown.end());
  return model;
}

runtime::expected<model_spec> parse_triton_json(std::string_view json, const model_spec& base) {
  auto model = read_json(json, base);
  if (!model)
    return tl::unexpected(model.error());
  keep_own_fields(model->spec, base);
  return std::move(model->spec);
}

runtime::expected<triton_model> parse_whole_triton_json(std::string_view json,
                                                        const std::string& name) {
  model_spec nothing;
  nothing.name = name;
  return read_json(json, nothing);
}

std::string to_triton_json(const model_spec& spec) {
  triton::ModelConfig message;
  to_message(spec, message);
  return write_message_json(message, true);
}

runtime::expected<std::string> put_labels(std::string_view json, const label_source& labels_of) {
  triton::ModelConfig message;
  if (auto read = read_message_json(json, message); !read)
    return tl::unexpected(read.error());
  bool has_changed = false;
  for (triton::ModelOutput& output : *message.mutable_output()) {
    if (output.label_filename().empty() || !output.labels().empty())
      continue;
    auto labels = labels_of(output.name(), output.label_filename());
    if (!labels)
      return tl::unexpected(labels.error());
    output.mutable_labels()->Assign(labels->begin(), labels->end());
    has_changed = true;
  }
  return has_changed ? write_message_json(message, false) : std::string{json};
}

}  // namespace dim::models
