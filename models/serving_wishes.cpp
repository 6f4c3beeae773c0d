#include "models/serving_wishes.hpp"

#include <limits>

#include "models/disk_file.hpp"
#include "models/model_spec.hpp"
#include "models/model_spec_sections.hpp"
#include "models/toml_fields.hpp"

namespace dim::models {

namespace {

constexpr std::uint64_t file_bytes_max = std::uint64_t{64} << 20;

std::string read_name(toml_fields& fields, const std::string& key) {
  std::string name = fields.required_text(key);
  if (!name.empty() && !is_model_name(name))
    fields.add_problem(key, "\"" + name + "\" is no model name");
  return name;
}

void read_model(toml_fields& fields, serving_wishes& wishes) {
  model_wish wish;
  const std::string name = read_name(fields, "name");
  wish.is_loaded = fields.flag("loaded").value_or(true);
  for (const std::int64_t version : fields.integers("versions"))
    if (version > 0)
      wish.versions.push_back(static_cast<std::uint64_t>(version));
  wish.config_json = fields.text("config").value_or("");
  constexpr std::int64_t revision_max = std::numeric_limits<std::uint32_t>::max();
  wish.revision =
    static_cast<std::uint32_t>(fields.integer("revision", 0, revision_max).value_or(0));
  wishes.models.insert_or_assign(name, std::move(wish));
}

void read_alias(toml_fields& fields, serving_wishes& wishes) {
  const std::string name = read_name(fields, "name");
  const std::string model = read_name(fields, "model");
  wishes.aliases.insert_or_assign(
    name, alias_target{model, fields.text("version").value_or("")});
}

}  // namespace

runtime::expected<serving_wishes> read_serving_wishes(const std::filesystem::path& path) {
  const auto text = read_text(path, file_bytes_max);
  if (!text) {
    if (text.error().code == runtime::error_code::not_found)
      return serving_wishes{};
    return tl::unexpected(text.error());
  }
  serving_wishes wishes;
  std::vector<std::string> problems;
  if (const auto table = parse_toml(*text, problems)) {
    toml_fields fields(*table, "", problems);
    for (toml_fields& each : fields.tables("models"))
      read_model(each, wishes);
    for (toml_fields& each : fields.tables("aliases"))
      read_alias(each, wishes);
  }
  if (!problems.empty())
    return runtime::fail(runtime::error_code::bad_input, path.string() + " can not be read",
                         std::move(problems));
  return wishes;
}

runtime::expected<void> write_serving_wishes(const std::filesystem::path& path,
                                             const serving_wishes& wishes) {
  std::string text;
  for (const auto& [name, wish] : wishes.models) {
    text += "[[models]]\nname = " + toml_quoted(name)
            + "\nloaded = " + (wish.is_loaded ? "true" : "false") + "\nversions = [";
    for (std::size_t index = 0; index < wish.versions.size(); ++index)
      text += (index == 0 ? "" : ", ") + std::to_string(wish.versions[index]);
    text += "]\nconfig = " + toml_quoted(wish.config_json) + "\n\n";
  }
  for (const auto& [name, target] : wishes.aliases)
    text += "[[aliases]]\nname = " + toml_quoted(name) + "\nmodel = " + toml_quoted(target.model)
            + "\nversion = " + toml_quoted(target.version) + "\n\n";
  return write_atomically(path, text);
}

}  // namespace dim::models
