#include "models/repository.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <system_error>
#include <utility>

namespace dim::models {

namespace {

namespace fs = std::filesystem;
using runtime::error_code;

constexpr std::uint64_t config_bytes_max = std::uint64_t{1} << 20;
constexpr std::uint64_t digests_bytes_max = std::uint64_t{64} << 20;

tl::unexpected<runtime::failure> not_there(std::string_view name, std::string_view version) {
  std::string words = "there is no model \"" + std::string{name} + "\"";
  if (!version.empty())
    words += " of version \"" + std::string{version} + "\"";
  return runtime::fail(error_code::model_not_found, words);
}

std::uint64_t version_number(std::string_view version) {
  std::uint64_t number = 0;
  std::from_chars(version.data(), version.data() + version.size(), number);
  return number;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines)
    text += (text.empty() ? "" : "; ") + line;
  return text;
}

}  // namespace

repository::repository(repository_options options) : options_(std::move(options)) {
}

runtime::expected<repository> repository::open(repository_options options) {
  repository opened(std::move(options));
  if (auto prepared = opened.prepare_folder(); !prepared)
    return tl::unexpected(prepared.error());
  opened.read_digests();
  opened.read_models();
  if (auto written = opened.write_digests(); !written)
    return tl::unexpected(written.error());
  return opened;
}

runtime::expected<void> repository::prepare_folder() {
  std::error_code error;
  fs::remove_all(staging_folder(), error);
  if (!error)
    fs::create_directories(staging_folder(), error);
  if (error)
    return runtime::fail(error_code::internal, "can not use the model repository "
                                                 + options_.folder.string() + ": "
                                                 + error.message());
  return {};
}

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
  for (const std::string& name : names)
    read_model(name);
}

void repository::read_model(const std::string& name) {
  if (!is_model_name(name)) {
    problems_.push_back(name + ": this folder's name is no model name");
    return;
  }
  const auto text = read_text(folder_of(name) / "config.toml", config_bytes_max);
  if (!text) {
    problems_.push_back(name + ": " + text.error().message);
    return;
  }
  auto spec = parse_model_spec(*text);
  if (!spec) {
    problems_.push_back(name + ": config.toml: " + joined(spec.error().details));
    return;
  }
  if (!spec->name.empty() && spec->name != name) {
    problems_.push_back(name + ": config.toml names the model \"" + spec->name + "\"");
    return;
  }
  spec->name = name;
  model_record model{std::move(*spec), {}};
  std::error_code error;
  for (fs::directory_iterator it(folder_of(name), error), end; !error && it != end;
       it.increment(error)) {
    const std::string version = it->path().filename().string();
    if (is_version(version))
      read_version(model, name, version_number(version));
  }
  if (!model.versions.empty())
    models_.emplace(name, std::move(model));
}

void repository::read_version(model_record& model, const std::string& name,
                              std::uint64_t version) {
  const fs::path file = file_of(name, version);
  const std::string key = key_of(name, version);
  std::error_code error;
  version_record record;
  record.byte_size = fs::file_size(file, error);
  if (error) {
    problems_.push_back(key + ": can not read model.pt: " + error.message());
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
      known.emplace(key_of(name, version), record);
      text += record.digest + " " + std::to_string(record.byte_size) + " "
              + std::to_string(record.written_ns) + " " + key_of(name, version) + "\n";
    }
  if (known == known_)
    return {};
  known_ = std::move(known);
  return write_atomically(options_.folder / ".digests", text);
}

std::vector<repository_entry> repository::list() const {
  std::vector<repository_entry> entries;
  for (const auto& [name, model] : models_)
    for (const auto& [version, record] : model.versions)
      entries.push_back(entry_of(model, version));
  return entries;
}

runtime::expected<repository_entry> repository::find(std::string_view name,
                                                     std::string_view version) const {
  const auto model = models_.find(name);
  if (model == models_.end())
    return not_there(name, {});
  if (version.empty())
    return entry_of(model->second, model->second.versions.rbegin()->first);
  if (!is_version(version) || !model->second.versions.contains(version_number(version)))
    return not_there(name, version);
  return entry_of(model->second, version_number(version));
}

runtime::expected<void> repository::remove(std::string_view name, std::string_view version) {
  const auto found = find(name, version);
  if (!found)
    return tl::unexpected(found.error());
  const auto model = models_.find(name);
  const bool is_whole = version.empty() || model->second.versions.size() == 1;
  const fs::path victim = is_whole ? folder_of(name)
                                   : file_of(name, version_number(version)).parent_path();
  const fs::path grave = staging_folder() / ("removed." + std::to_string(++removals_));
  std::error_code error;
  fs::rename(victim, grave, error);
  if (error)
    return runtime::fail(error_code::internal,
                         "can not remove " + victim.string() + ": " + error.message());
  // The rename has removed it; what is left in the staging folder goes at the next start at the
  // latest.
  fs::remove_all(grave, error);
  if (is_whole)
    models_.erase(model);
  else
    model->second.versions.erase(version_number(version));
  if (auto synced = sync_folder(victim.parent_path()); !synced)
    return synced;
  return write_digests();
}

runtime::expected<fs::path> repository::path_of(std::string_view digest) const {
  for (const auto& [name, model] : models_)
    for (const auto& [version, record] : model.versions)
      if (record.digest == digest)
        return file_of(name, version);
  return runtime::fail(error_code::not_found,
                       "no model file has the digest " + std::string{digest});
}

runtime::expected<file_block> repository::read_chunk(std::string_view digest,
                                                     std::uint64_t offset,
                                                     std::uint64_t length) const {
  const auto path = path_of(digest);
  if (!path)
    return tl::unexpected(path.error());
  std::error_code error;
  const std::uint64_t size = fs::file_size(*path, error);
  if (error)
    return runtime::fail(error_code::not_found, path->string() + ": " + error.message());
  auto block = read_block(*path, offset, length);
  if (!block)
    return tl::unexpected(block.error());
  return file_block{std::move(*block), size};
}

fs::path repository::staging_folder() const {
  return options_.folder / ".staging";
}

fs::path repository::folder_of(std::string_view name) const {
  return options_.folder / name;
}

fs::path repository::file_of(std::string_view name, std::uint64_t version) const {
  return folder_of(name) / std::to_string(version) / "model.pt";
}

std::string repository::key_of(std::string_view name, std::uint64_t version) {
  return std::string{name} + "/" + std::to_string(version);
}

repository_entry repository::entry_of(const model_record& model, std::uint64_t version) {
  const version_record& record = model.versions.at(version);
  repository_entry entry;
  entry.name = model.spec.name;
  entry.version = std::to_string(version);
  entry.digest = record.digest;
  entry.byte_size = record.byte_size;
  entry.created_at = record.written_ns / 1'000'000;
  entry.spec = model.spec;
  return entry;
}

}  // namespace dim::models
