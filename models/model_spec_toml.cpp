#include <limits>
#include <set>
#include <utility>

#include "models/model_spec.hpp"
#include "models/model_spec_check.hpp"
#include "models/model_spec_sections.hpp"
#include "models/toml_fields.hpp"

namespace dim::models {

namespace {

constexpr std::int64_t batch_size_max = 1'000'000;
constexpr std::int64_t batch_delay_max = 60'000'000;
constexpr std::int64_t any_size = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t tensor_name_max = 256;
constexpr std::size_t rank_max = 16;

void check_labels(toml_fields& fields, const tensor_spec& declared) {
  if (declared.labels.empty())
    return;
  if (declared.dims.empty())
    fields.add_problem("labels", "an output without dims has no classes");
  else if (declared.dims.back() > 0
           && declared.labels.size() != static_cast<std::size_t>(declared.dims.back()))
    fields.add_problem("labels", "expected " + std::to_string(declared.dims.back())
                                   + " labels, one for each entry of the last dim, got "
                                   + std::to_string(declared.labels.size()));
}

tensor_spec read_tensor(toml_fields& fields, bool is_output) {
  tensor_spec declared;
  declared.name = fields.required_text("name");
  if (declared.name.size() > tensor_name_max)
    fields.add_problem("name", "is longer than 256 bytes");
  const std::string type_name = fields.required_text("datatype");
  if (const auto type = datatype_from(type_name))
    declared.type = *type;
  else if (!type_name.empty())
    fields.add_problem("datatype", "\"" + type_name + "\" is no datatype; expected one like FP32, "
                                     "INT64, BOOL or BYTES");
  if (!fields.has("dims"))
    fields.add_problem("dims", "is missing");
  declared.dims = fields.integers("dims");
  if (declared.dims.size() > rank_max)
    fields.add_problem("dims", "has more than 16 entries");
  for (const std::int64_t dim : declared.dims)
    if (dim != -1 && dim < 1)
      fields.add_problem("dims", "expected sizes of 1 or more, or -1 for any size, got "
                                   + std::to_string(dim));
  declared.is_reshaped = fields.has("reshape");
  declared.reshape = fields.integers("reshape");
  if (is_output) {
    declared.labels = fields.texts("labels");
    check_labels(fields, declared);
  } else {
    declared.is_optional = fields.flag("optional").value_or(false);
  }
  fields.refuse_unknown_keys();
  return declared;
}

std::vector<tensor_spec> read_tensors(toml_fields& fields, const std::string& key) {
  std::vector<tensor_spec> declared;
  std::set<std::string> names;
  const bool is_output = key == "outputs";
  if (!fields.has(key))
    fields.add_problem(key, "at least one is needed, under [[" + key + "]]");
  for (toml_fields& entry : fields.tables(key)) {
    declared.push_back(read_tensor(entry, is_output));
    const std::string& name = declared.back().name;
    if (!name.empty() && !names.insert(name).second)
      entry.add_problem("name", "\"" + name + "\" is declared twice");
  }
  return declared;
}

isolation read_isolation(toml_fields& fields) {
  const std::string name = fields.text("isolation").value_or("process");
  if (name != "process" && name != "thread")
    fields.add_problem("isolation", "expected \"process\" or \"thread\"");
  return name == "thread" ? isolation::thread : isolation::process;
}

std::string list_of(const std::vector<std::int64_t>& sizes) {
  std::string text = "[";
  for (std::size_t index = 0; index < sizes.size(); ++index)
    text += (index == 0 ? "" : ", ") + std::to_string(sizes[index]);
  return text + "]";
}

void write_tensor(std::string& text, const std::string& key, const tensor_spec& declared) {
  text += "\n[[" + key + "]]\nname = " + toml_quoted(declared.name) + "\ndatatype = \""
          + std::string{to_string(declared.type)} + "\"\ndims = " + list_of(declared.dims) + "\n";
  if (declared.is_reshaped)
    text += "reshape = " + list_of(declared.reshape) + "\n";
  if (declared.is_optional)
    text += "optional = true\n";
  if (declared.labels.empty())
    return;
  text += "labels = [";
  for (std::size_t index = 0; index < declared.labels.size(); ++index)
    text += (index == 0 ? "" : ", ") + toml_quoted(declared.labels[index]);
  text += "]\n";
}

}  // namespace

runtime::expected<model_spec> parse_model_spec(std::string_view toml_text) {
  std::vector<std::string> problems;
  const auto table = parse_toml(toml_text, problems);
  model_spec spec;
  if (table) {
    toml_fields fields(*table, "", problems);
    spec.name = fields.text("name").value_or("");
    if (fields.has("name") && !is_model_name(spec.name))
      fields.add_problem("name", "expected 1 to 128 letters, digits, '.', '_' and '-', first a "
                                 "letter or digit");
    spec.description = fields.text("description").value_or("");
    spec.max_batch_size = fields.integer("max_batch_size", 0, batch_size_max).value_or(0);
    spec.isolated = read_isolation(fields);
    spec.batch_delay_max_us = static_cast<std::uint32_t>(
      fields.integer("batch_delay_max_us", 0, batch_delay_max).value_or(0));
    spec.memory_bytes =
      static_cast<std::uint64_t>(fields.integer("memory_bytes", 0, any_size).value_or(0));
    spec.inputs = read_tensors(fields, "inputs");
    spec.outputs = read_tensors(fields, "outputs");
    read_serving_sections(fields, spec);
    fields.refuse_unknown_keys();
  }
  if (problems.empty())
    problems = check_model_spec(spec);
  if (!problems.empty())
    return runtime::fail(runtime::error_code::bad_input, "the model's configuration is wrong",
                         std::move(problems));
  return spec;
}

std::string to_toml(const model_spec& spec) {
  std::string text;
  if (!spec.name.empty())
    text += "name = " + toml_quoted(spec.name) + "\n";
  if (!spec.description.empty())
    text += "description = " + toml_quoted(spec.description) + "\n";
  text += "max_batch_size = " + std::to_string(spec.max_batch_size) + "\n";
  text += std::string{"isolation = \""}
          + (spec.isolated == isolation::thread ? "thread" : "process") + "\"\n";
  text += "batch_delay_max_us = " + std::to_string(spec.batch_delay_max_us) + "\n";
  text += "memory_bytes = " + std::to_string(spec.memory_bytes) + "\n";
  write_serving_keys(text, spec);
  for (const tensor_spec& each : spec.inputs)
    write_tensor(text, "inputs", each);
  for (const tensor_spec& each : spec.outputs)
    write_tensor(text, "outputs", each);
  write_serving_sections(text, spec);
  return text;
}

}  // namespace dim::models
