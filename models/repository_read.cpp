#include <algorithm>
#include <charconv>
#include <sstream>
#include <system_error>
#include <utility>

#include "models/repository.hpp"
#include "models/sent_model.hpp"
#include "models/triton_config.hpp"

namespace dim::models {

namespace {

namespace fs = std::filesystem;
using runtime::error_code;

constexpr std::uint64_t config_bytes_max = std::uint64_t{1} << 20;
constexpr std::uint64_t digests_bytes_max = std::uint64_t{64} << 20;

constexpr std::string_view no_version =
  "it has no version: expected a folder whose name is a whole number from 1 up";

std::string joined(const runtime::failure& failure) {
  std::string text;
  for (const std::string& line : failure.details)
    text += (text.empty() ? "" : "; ") + line;
  return text.empty() ? failure.message : text;
}

std::uint64_t number_of(std::string_view version) {
  std::uint64_t number = 0;
  std::from_chars(version.data(), version.data() + version.size(), number);
  return number;
}

}  // namespace

void repository::read_models() {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(options_.folder, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with('.') && it->is_directory())
      names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    const std::size_t known_problems = problems_.size();
    auto model = read_model(name);
    if (!model)
      problems_.push_back(name + ": " + model.error().message);
    else if (!model->versions.empty())
      models_.emplace(name, std::move(*model));
    else if (problems_.size() == known_problems)
      problems_.push_back(name + ": " + std::string{no_version});
  }
}

runtime::expected<void> repository::read_again(const std::string& name) {
  std::error_code error;
  if (!is_model_name(name) || !fs::is_directory(folder_of(name), error)) {
    models_.erase(name);
    return {};
  }
  const std::size_t known_problems = problems_.size();
  auto model = read_model(name);
  std::string problem = model ? "" : model.error().message;
  if (model && model->versions.empty())
    problem = problems_.size() > known_problems ? problems_.back() : no_version;
  problems_.resize(known_problems);
  if (!problem.empty())
    return runtime::fail(error_code::bad_input, problem);
  models_.insert_or_assign(name, std::move(*model));
  return write_digests();
}

runtime::expected<repository::model_record> repository::read_model(const std::string& name) {
  if (!is_model_name(name))
    return runtime::fail(error_code::bad_input, "this folder's name is no model name");
  auto model = read_config(name);
  if (!model)
    return model;
  std::error_code error;
  if (!model->spec.name.empty() && model->spec.name != name)
    return runtime::fail(error_code::bad_input,
                         std::string{fs::exists(folder_of(name) / "config.toml", error)
                                       ? "config.toml"
                                       : "config.pbtxt"}
                           + " names the model \"" + model->spec.name + "\"");
  model->spec.name = name;
  for (fs::directory_iterator it(folder_of(name), error), end; !error && it != end;
       it.increment(error)) {
    const std::string version = it->path().filename().string();
    if (is_version(version) && it->is_directory())
      read_version(*model, number_of(version));
  }
  if (is_fileless(*model) && model->versions.empty())
    read_version(*model, 1);
  return model;
}

runtime::expected<repository::model_record> repository::read_config(const std::string& name) {
  const auto text = read_text(folder_of(name) / "config.toml", config_bytes_max);
  if (text) {
    auto spec = parse_model_spec(*text);
    if (!spec)
      return runtime::fail(error_code::bad_input, "config.toml: " + joined(spec.error()));
    if (spec->batching.preserve_ordering)
      warnings_.push_back(name + ": config.toml: not used here: batching.preserve_ordering");
    model_record model;
    model.spec = std::move(*spec);
    return model;
  }
  const auto triton = read_text(folder_of(name) / "config.pbtxt", config_bytes_max);
  if (triton)
    return read_triton_config(name, *triton);
  const bool is_absent = text.error().code == error_code::not_found;
  return runtime::fail(error_code::bad_input,
                       is_absent && triton.error().code != error_code::not_found
                         ? triton.error().message
                         : text.error().message);
}

runtime::expected<repository::model_record> repository::read_triton_config(
  const std::string& name, const std::string& text) {
  auto read = parse_triton_text(text);
  if (!read)
    return runtime::fail(read.error().code, "config.pbtxt: " + joined(read.error()));
  model_record model;
  model.spec = std::move(read->spec);
  for (tensor_spec& output : model.spec.outputs) {
    const auto file = read->label_files.find(output.name);
    if (file == read->label_files.end())
      continue;
    auto labels = labels_in(name, file->second);
    if (!labels)
      return tl::unexpected(labels.error());
    output.labels = std::move(*labels);
  }
  if (!read->unused.empty()) {
    std::string warning = name + ": config.pbtxt: not used here:";
    for (const std::string& field : read->unused)
      warning += " " + field;
    warnings_.push_back(std::move(warning));
  }
  return model;
}

runtime::expected<std::vector<std::string>> repository::labels_in(const std::string& name,
                                                                  const std::string& file) const {
  if (!is_plain_file_name(file))
    return runtime::fail(error_code::bad_input,
                         "label_filename: expected the plain name of a file");
  const auto text = read_text(folder_of(name) / file, config_bytes_max);
  if (!text)
    return tl::unexpected(text.error());
  return read_labels(*text);
}

void repository::read_version(model_record& model, std::uint64_t version) {
  version_record record;
  if (is_fileless(model)) {
    const std::string text = to_toml(model.spec);
    record.byte_size = text.size();
    record.digest = runtime::sha256_hex(text);
    record.written_ns = written_ns_of(folder_of(model.spec.name));
    model.versions.emplace(version, std::move(record));
    return;
  }
  const fs::path file = file_of(model, version);
  const std::string key = key_of(model.spec.name, version);
  std::error_code error;
  record.byte_size = fs::file_size(file, error);
  if (error) {
    problems_.push_back(key + ": can not read " + model.spec.file_name + ": " + error.message());
    return;
  }
  record.written_ns = written_ns_of(file);
  const auto known = known_.find(key);
  if (known != known_.end() && known->second.byte_size == record.byte_size
      && known->second.written_ns == record.written_ns) {
    record.digest = known->second.digest;
  } else {
    const auto digest = digest_of_file(file);
    if (!digest) {
      problems_.push_back(key + ": " + digest.error().message);
      return;
    }
    record.digest = *digest;
  }
  model.versions.emplace(version, std::move(record));
}

void repository::read_digests() {
  const auto text = read_text(options_.folder / ".digests", digests_bytes_max);
  if (!text)
    return;
  std::istringstream lines(*text);
  version_record record;
  std::string key;
  while (lines >> record.digest >> record.byte_size >> record.written_ns >> key)
    if (runtime::is_digest(record.digest))
      known_[key] = record;
}

runtime::expected<void> repository::write_digests() {
  std::map<std::string, version_record> known;
  std::string text;
  for (const auto& [name, model] : models_)
    for (const auto& [version, record] : model.versions) {
      if (is_fileless(model))
        continue;
      known.emplace(key_of(name, version), record);
      text += record.digest + " " + std::to_string(record.byte_size) + " "
              + std::to_string(record.written_ns) + " " + key_of(name, version) + "\n";
    }
  if (known == known_)
    return {};
  known_ = std::move(known);
  return write_atomically(options_.folder / ".digests", text);
}

}  // namespace dim::models
