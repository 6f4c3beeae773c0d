#include "models/cabinet_manifest.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "models/model_spec.hpp"
#include "models/toml_fields.hpp"

namespace dim::models {

namespace {

bool is_file_name(const std::string& name) {
  return !name.empty() && name.front() != '.' && name.find('/') == std::string::npos;
}

void check_shape(toml_fields& fields, const cabinet_column& column) {
  if (!fields.has("shape"))
    return fields.add_problem("shape", "is missing; it is the shape of one row");
  for (const std::int64_t dim : column.row_shape)
    if (dim < 1)
      return fields.add_problem("shape", "expected sizes of 1 or more");
  const auto count = element_count(column.row_shape);
  if (!count || *count > cabinet_row_bytes_max / std::max<std::size_t>(size_of(column.type), 1))
    fields.add_problem("shape", "a row is larger than 64 MiB");
}

cabinet_column read_column(toml_fields& fields) {
  cabinet_column column;
  column.name = fields.required_text("name");
  const std::string type_name = fields.required_text("datatype");
  const auto type = datatype_from(type_name);
  if (type && *type != datatype::bytes)
    column.type = *type;
  else if (!type_name.empty())
    fields.add_problem("datatype", "\"" + type_name + "\" is no numeric datatype like FP32");
  column.row_shape = fields.integers("shape");
  check_shape(fields, column);
  column.file = fields.required_text("file");
  const bool is_csv = column.file.ends_with(".csv");
  if (!column.file.empty() && !is_file_name(column.file))
    fields.add_problem("file", "expected the name of a file in the cabinet's own folder");
  else if (!column.file.empty() && !is_csv && !column.file.ends_with(".npy"))
    fields.add_problem("file", "expected a .npy or .csv file");
  column.csv_columns = fields.texts("columns");
  if (!is_csv && fields.has("columns"))
    fields.add_problem("columns", "is for CSV files only");
  fields.refuse_unknown_keys();
  return column;
}

}  // namespace

runtime::expected<cabinet_manifest> parse_cabinet_manifest(std::string_view toml_text) {
  std::vector<std::string> problems;
  cabinet_manifest manifest;
  if (const auto table = parse_toml(toml_text, problems)) {
    toml_fields fields(*table, "", problems);
    manifest.name = fields.required_text("name");
    if (!manifest.name.empty() && !is_model_name(manifest.name))
      fields.add_problem("name", "expected 1 to 128 letters, digits, '.', '_' and '-', first a "
                                 "letter or digit");
    manifest.description = fields.text("description").value_or("");
    if (!fields.has("tensors"))
      fields.add_problem("tensors", "at least one is needed, under [[tensors]]");
    std::set<std::string> names;
    for (toml_fields& entry : fields.tables("tensors")) {
      manifest.columns.push_back(read_column(entry));
      const std::string& name = manifest.columns.back().name;
      if (!name.empty() && !names.insert(name).second)
        entry.add_problem("name", "\"" + name + "\" is declared twice");
    }
    fields.refuse_unknown_keys();
  }
  if (!problems.empty())
    return runtime::fail(runtime::error_code::bad_input, "cabinet.toml is wrong",
                         std::move(problems));
  return manifest;
}

std::uint64_t row_elements(const cabinet_column& column) {
  return element_count(column.row_shape).value_or(0);
}

}  // namespace dim::models
