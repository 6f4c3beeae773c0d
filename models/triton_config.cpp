#include "models/triton_config.hpp"

#include <algorithm>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/json_util.h>

#include "models/model_spec_check.hpp"
#include "models/triton_config.pb.h"
#include "models/triton_fields.hpp"

namespace dim::models {

namespace {

namespace pb = google::protobuf;
using runtime::error_code;

/// Gathers what the reader of the text format says.
class reader_words : public pb::io::ErrorCollector {
public:
  void AddError(int line, int column, const std::string& words) override {
    errors.push_back("line " + std::to_string(line + 1) + ", column " + std::to_string(column + 1)
                     + ": " + words);
  }

  /// The reader warns of fields that the message does not have: their names stand in quotes, last.
  void AddWarning(int, int, const std::string& words) override {
    const auto end = words.rfind('"');
    const auto begin = end == std::string::npos ? end : words.rfind('"', end - 1);
    if (begin == std::string::npos)
      return;
    std::string field = words.substr(begin + 1, end - begin - 1);
    if (std::find(unknown.begin(), unknown.end(), field) == unknown.end())
      unknown.push_back(std::move(field));
  }

  std::vector<std::string> errors;
  std::vector<std::string> unknown;
};

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

/// Fields that are set in `over` take the place of those in `base`.
void lay_over(triton::ModelConfig& base, const triton::ModelConfig& over) {
  std::vector<const pb::FieldDescriptor*> set;
  over.GetReflection()->ListFields(over, &set);
  for (const pb::FieldDescriptor* field : set)
    base.GetReflection()->ClearField(&base, field);
  base.MergeFrom(over);
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

}  // namespace

runtime::expected<triton_model> parse_triton_text(std::string_view text) {
  triton::ModelConfig message;
  reader_words words;
  pb::TextFormat::Parser parser;
  parser.AllowUnknownField(true);
  parser.RecordErrorsTo(&words);
  if (!parser.ParseFromString(std::string{text}, &message)) {
    if (words.errors.empty())
      words.errors.push_back("it can not be read");
    return runtime::fail(error_code::bad_input, words.errors.front(), words.errors);
  }
  auto model = checked(message);
  if (model)
    model->unused = std::move(words.unknown);
  return model;
}

namespace {

runtime::expected<void> read_message(std::string_view json, triton::ModelConfig& message) {
  pb::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  const std::string text{json};
  if (const auto status = pb::util::JsonStringToMessage(text, &message, options); !status.ok())
    return runtime::fail(error_code::bad_input,
                         "the configuration is not JSON of a model configuration: "
                           + std::string{status.message()});
  return {};
}

std::string write_message(const triton::ModelConfig& message, bool with_defaults) {
  pb::util::JsonPrintOptions options;
  options.always_print_primitive_fields = with_defaults;
  options.preserve_proto_field_names = true;
  std::string json;
  if (!pb::util::MessageToJsonString(message, &json, options).ok())
    return "{}";
  return json;
}

/// The configuration in JSON, laid over `base`.
runtime::expected<triton_model> read_json(std::string_view json, const model_spec& base) {
  triton::ModelConfig over;
  if (auto read = read_message(json, over); !read)
    return tl::unexpected(read.error());
  triton::ModelConfig message;
  to_message(base, message);
  if (over.has_ensemble_scheduling() || !over.platform().empty() || !over.backend().empty()) {
    message.clear_backend();
    message.clear_platform();
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
  return write_message(message, true);
}

runtime::expected<std::string> put_labels(std::string_view json, const label_source& labels_of) {
  triton::ModelConfig message;
  if (auto read = read_message(json, message); !read)
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
  return has_changed ? write_message(message, false) : std::string{json};
}

}  // namespace dim::models
