#include "models/repository.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

namespace dim::models {

namespace {

namespace fs = std::filesystem;
using runtime::error_code;

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

/// Whether there is more in a model's folder than goes with its last version.
bool has_other_folders(const fs::path& folder, std::string_view version, bool is_fileless) {
  std::error_code error;
  for (fs::directory_iterator each{folder, error}, end; !error && each != end;
       each.increment(error)) {
    const std::string name = each->path().filename().string();
    // A model without files is its configuration: only another version keeps it.
    if (name != version && each->is_directory() && (!is_fileless || is_version(name)))
      return true;
  }
  return false;
}

/// Part of a text, as `read_block` gives it of a file.
file_block block_of(const std::string& text, std::uint64_t offset, std::uint64_t length) {
  const std::uint64_t first = std::min<std::uint64_t>(offset, text.size());
  const std::string_view part = std::string_view{text}.substr(first, length);
  return {runtime::bytes::copy_of(part), text.size()};
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
  opened.read_resumable();
  if (auto written = opened.write_digests(); !written)
    return tl::unexpected(written.error());
  return opened;
}

runtime::expected<void> repository::prepare_folder() {
  std::error_code error;
  fs::create_directories(resumable_folder(), error);
  if (!error)
    empty_staging(error);
  if (error)
    return runtime::fail(error_code::internal, "can not use the model repository "
                                                 + options_.folder.string() + ": "
                                                 + error.message());
  return {};
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
  const bool has_no_files = is_fileless(model->second);
  const bool is_last = version.empty() || model->second.versions.size() == 1;
  const bool is_whole =
    version.empty() || (is_last && !has_other_folders(folder_of(name), version, has_no_files));
  const fs::path victim = is_whole ? folder_of(name) : folder_of(name) / std::string{version};
  const fs::path grave = staging_folder() / ("removed." + std::to_string(++removals_));
  std::error_code error;
  // A version of a model without files may have no folder.
  if (is_whole || !has_no_files || fs::exists(victim, error))
    fs::rename(victim, grave, error);
  if (error)
    return runtime::fail(error_code::internal,
                         "can not remove " + victim.string() + ": " + error.message());
  // The rename has removed it; what is left in the staging folder goes at the next start at the
  // latest.
  fs::remove_all(grave, error);
  if (is_last)
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
      if (record.digest == digest && !is_fileless(model))
        return file_of(model, version);
  return runtime::fail(error_code::not_found,
                       "no model file has the digest " + std::string{digest});
}

runtime::expected<file_block> repository::read_chunk(std::string_view digest,
                                                     std::uint64_t offset,
                                                     std::uint64_t length) const {
  for (const auto& [name, model] : models_)
    if (is_fileless(model) && model.versions.begin()->second.digest == digest)
      return block_of(to_toml(model.spec), offset, length);
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

fs::path repository::file_of(const model_record& model, std::uint64_t version) const {
  return folder_of(model.spec.name) / std::to_string(version) / model.spec.file_name;
}

fs::path repository::wishes_path() const {
  return options_.folder / ".serving";
}

fs::path repository::sent_folder() const {
  return staging_folder() / ".sent";
}

bool repository::is_fileless(const model_record& model) {
  return model.spec.kind != model_kind::torchscript;
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
