#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "models/repository.hpp"

namespace dim::models {

namespace {

namespace fs = std::filesystem;
using runtime::error_code;

constexpr std::uint64_t config_bytes_max = std::uint64_t{64} << 20;

tl::unexpected<runtime::failure> no_upload(const std::string& id) {
  return runtime::fail(error_code::not_found, "there is no open upload \"" + id + "\"");
}

/// What all versions of a model must declare alike, since they share one config.toml.
std::vector<tensor_spec> without_labels(std::vector<tensor_spec> outputs) {
  for (tensor_spec& each : outputs)
    each.labels.clear();
  return outputs;
}

bool has_same_interface(const model_spec& one, const model_spec& other) {
  return one.inputs == other.inputs
         && without_labels(one.outputs) == without_labels(other.outputs)
         && one.max_batch_size == other.max_batch_size;
}

/// Whether a version can not be put here.
bool is_taken(const fs::path& folder) {
  std::error_code error;
  return fs::exists(folder, error)
         && !(fs::is_directory(folder, error) && fs::is_empty(folder, error));
}

/// The text of a file, or none where there is no file.
runtime::expected<std::optional<std::string>> text_if_there(const fs::path& path) {
  auto text = read_text(path, config_bytes_max);
  if (text)
    return std::optional<std::string>{std::move(*text)};
  if (text.error().code != error_code::not_found)
    return tl::unexpected(text.error());
  return std::optional<std::string>{};
}

void put_back(const fs::path& path, const std::optional<std::string>& text) {
  std::error_code error;
  if (text)
    (void)write_atomically(path, *text);
  else
    fs::remove(path, error);
}

runtime::failure in_words(const std::string& doing, const std::error_code& error) {
  const bool is_full = error == std::errc::no_space_on_device;
  return {is_full ? error_code::store_full : error_code::internal,
          "can not " + doing + ": " + error.message(),
          {}};
}

}  // namespace

runtime::expected<void> repository::begin_upload(const std::string& upload_id) {
  if (!is_upload_id(upload_id))
    return runtime::fail(error_code::bad_input,
                         "an upload's id is 1 to 128 letters, digits, '-' and '_'");
  abandon_upload(upload_id);
  const auto open = std::count_if(uploads_.begin(), uploads_.end(),
                                  [](const auto& each) { return each.second.byte_size == 0; });
  if (static_cast<std::size_t>(open) >= options_.uploads_max)
    return runtime::fail(error_code::overloaded,
                         std::to_string(open) + " uploads are open already");
  return open_upload(upload_id, 0);
}

runtime::expected<void> repository::open_upload(const std::string& upload_id,
                                                std::uint64_t byte_size) {
  const fs::path folder = upload_folder(upload_id, byte_size);
  std::error_code error;
  fs::create_directory(folder, error);
  if (error)
    return tl::unexpected(in_words("begin an upload", error));
  auto file = staged_file::create(folder / "part");
  if (!file) {
    fs::remove_all(folder, error);
    return tl::unexpected(file.error());
  }
  if (byte_size > 0)
    file->keep();
  uploads_.emplace(upload_id, upload{std::move(*file), {}, byte_size});
  return {};
}

runtime::expected<void> repository::check_block(const upload& open, std::uint64_t offset,
                                                std::uint64_t size) const {
  const staged_file& file = open.file;
  if (offset != file.size() || !open.digest.empty())
    return runtime::fail(error_code::bad_input, "expected the block at "
                                                  + std::to_string(file.size()) + ", got one at "
                                                  + std::to_string(offset));
  if (open.byte_size > 0 && size > open.byte_size - file.size())
    return runtime::fail(error_code::bad_input,
                         "expected " + std::to_string(open.byte_size) + " bytes, got more");
  if (size > options_.file_bytes_max - file.size())
    return runtime::fail(error_code::too_large, "a model file may have at most "
                                                  + std::to_string(options_.file_bytes_max)
                                                  + " bytes");
  return {};
}

runtime::expected<std::uint64_t> repository::append(const std::string& upload_id,
                                                    std::uint64_t offset, std::string_view data) {
  const auto found = uploads_.find(upload_id);
  if (found == uploads_.end())
    return no_upload(upload_id);
  upload& open = found->second;
  auto appended = check_block(open, offset, data.size());
  if (appended)
    appended = open.file.append(data);
  if (!appended) {
    if (open.byte_size == 0)
      abandon_upload(upload_id);
    return tl::unexpected(appended.error());
  }
  return open.file.size();
}

runtime::expected<fs::path> repository::seal_upload(const std::string& upload_id,
                                                    std::uint64_t byte_size,
                                                    std::string_view digest) {
  const auto found = uploads_.find(upload_id);
  if (found == uploads_.end())
    return no_upload(upload_id);
  upload& open = found->second;
  runtime::expected<std::string> sealed =
    open.digest.empty() ? open.file.seal() : runtime::expected<std::string>{open.digest};
  if (sealed && open.file.size() != byte_size)
    sealed = runtime::fail(error_code::bad_input, "expected " + std::to_string(byte_size)
                                                    + " bytes, got "
                                                    + std::to_string(open.file.size()));
  else if (sealed && *sealed != digest)
    sealed = runtime::fail(error_code::corrupt,
                           "the file has the digest " + *sealed + ", not the one it was sent with");
  if (!sealed) {
    abandon_upload(upload_id);
    return tl::unexpected(sealed.error());
  }
  open.digest = *sealed;
  return open.file.path();
}

runtime::expected<repository_entry> repository::commit_upload(const std::string& upload_id,
                                                              const std::string& name,
                                                              const std::string& version,
                                                              model_spec spec) {
  const auto found = uploads_.find(upload_id);
  if (found == uploads_.end() || found->second.digest.empty())
    return no_upload(upload_id);
  auto entered = enter(upload_id, found->second, name, version, std::move(spec));
  abandon_upload(upload_id);
  return entered;
}

void repository::abandon_upload(const std::string& upload_id) {
  const auto found = uploads_.find(upload_id);
  if (found == uploads_.end())
    return;
  const fs::path folder = upload_folder(upload_id, found->second.byte_size);
  uploads_.erase(found);
  std::error_code error;
  fs::remove_all(folder, error);
}

runtime::expected<repository_entry> repository::enter(const std::string& upload_id, upload& staged,
                                                      const std::string& name,
                                                      const std::string& version,
                                                      model_spec spec) {
  if (!is_model_name(name) || (!spec.name.empty() && spec.name != name))
    return runtime::fail(error_code::bad_input, is_model_name(name)
                                                  ? "the configuration names the model \""
                                                      + spec.name + "\", not \"" + name + "\""
                                                  : "\"" + name + "\" is no model name");
  if (spec.kind != model_kind::torchscript)
    return runtime::fail(error_code::bad_input, "a model of this kind has no file to upload");
  spec.name = name;
  const auto number = choose_version(name, version);
  if (!number)
    return tl::unexpected(number.error());
  const auto model = models_.find(name);
  if (model != models_.end()) {
    if (is_fileless(model->second))
      return runtime::fail(error_code::conflict,
                           "the other versions of \"" + name + "\" are of a kind that has no file");
    const auto existing = model->second.versions.find(*number);
    if (existing != model->second.versions.end()) {
      if (existing->second.digest == staged.digest)
        return entry_of(model->second, *number);
      return runtime::fail(error_code::conflict, "version " + std::to_string(*number) + " of \""
                                                   + name + "\" exists with other bytes");
    }
    if (!has_same_interface(model->second.spec, spec))
      return runtime::fail(error_code::conflict,
                           "the other versions of \"" + name
                             + "\" have other inputs, outputs or another max_batch_size");
    spec.file_name = model->second.spec.file_name;
  }
  if (auto placed = place_files(upload_id, staged, spec, *number); !placed)
    return tl::unexpected(placed.error());
  model_record& entered = models_[name];
  entered.spec = std::move(spec);
  const version_record record{staged.digest, staged.file.size(),
                              written_ns_of(file_of(entered, *number))};
  entered.versions.insert_or_assign(*number, record);
  // The file is in its place: a side file that can not be written only costs time at a start.
  (void)write_digests();
  return entry_of(entered, *number);
}

runtime::expected<std::uint64_t> repository::choose_version(const std::string& name,
                                                            const std::string& version) const {
  const auto model = models_.find(name);
  if (version.empty())
    return model == models_.end() ? 1 : model->second.versions.rbegin()->first + 1;
  if (!is_version(version))
    return runtime::fail(error_code::bad_input,
                         "\"" + version + "\" is no version: expected a whole number from 1 up");
  std::uint64_t number = 0;
  std::from_chars(version.data(), version.data() + version.size(), number);
  return number;
}

runtime::expected<void> repository::place_files(const std::string& upload_id, upload& staged,
                                                const model_spec& spec, std::uint64_t version) {
  const fs::path folder = upload_folder(upload_id, staged.byte_size);
  const fs::path model_folder = folder_of(spec.name);
  const fs::path place = model_folder / std::to_string(version);
  const fs::path config = model_folder / "config.toml";
  if (is_taken(place))
    return runtime::fail(error_code::conflict,
                         "version " + std::to_string(version) + " of \"" + spec.name
                           + "\" has a folder already, which is not empty and holds no model that "
                             "is known here");
  const auto old_config = text_if_there(config);
  if (!old_config)
    return tl::unexpected(old_config.error());
  if (auto published = staged.file.publish(folder / spec.file_name); !published)
    return published;
  std::error_code error;
  const bool is_new = fs::create_directory(model_folder, error);
  if (error)
    return tl::unexpected(in_words("make the folder of the model", error));
  auto placed = write_atomically(config, to_toml(spec));
  if (placed) {
    // One rename makes the version appear with its file, or not at all.
    fs::rename(folder, place, error);
    if (error)
      placed = tl::unexpected(in_words("move the model to its place", error));
  }
  const bool is_in_place = placed.has_value();
  if (placed)
    placed = sync_folder(model_folder);
  if (placed)
    placed = sync_folder(options_.folder);
  if (placed)
    return placed;
  if (is_in_place)
    fs::rename(place, folder, error);
  if (is_new)
    fs::remove_all(model_folder, error);
  else
    put_back(config, *old_config);
  return placed;
}

}  // namespace dim::models
