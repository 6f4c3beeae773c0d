#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include "models/repository.hpp"

namespace dim::models {

namespace {

namespace fs = std::filesystem;
using runtime::error_code;

constexpr std::size_t upload_id_max = 128;

/// What the name of a resumable upload's folder tells: "<id>.<size of the whole file>".
struct folder_name {
  std::string id;
  std::uint64_t byte_size = 0;
};

/// `byte_size` 0 for a name that is none.
folder_name parse_folder(const std::string& name) {
  const auto dot = name.rfind('.');
  folder_name result;
  if (dot == name.npos || dot == 0)
    return result;
  const char* end = name.data() + name.size();
  const auto [stopped, error] = std::from_chars(name.data() + dot + 1, end, result.byte_size);
  if (error != std::errc{} || stopped != end)
    return {};
  result.id = name.substr(0, dot);
  return result;
}

}  // namespace

bool repository::is_upload_id(const std::string& id) {
  return !id.empty() && id.size() <= upload_id_max
         && std::all_of(id.begin(), id.end(), [](char c) {
              return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
                     || c == '-' || c == '_';
            });
}

runtime::expected<std::uint64_t> repository::resume_upload(const std::string& upload_id,
                                                           std::uint64_t byte_size) {
  if (!is_upload_id(upload_id) || byte_size == 0)
    return runtime::fail(error_code::bad_input, "a resumable upload has an id of 1 to 128 letters, "
                                                "digits, '-' and '_', and at least one byte");
  if (const auto found = uploads_.find(upload_id); found != uploads_.end()) {
    if (found->second.byte_size != byte_size)
      return runtime::fail(error_code::bad_input, "the upload is to have "
                                                    + std::to_string(found->second.byte_size)
                                                    + " bytes");
    return found->second.file.size();
  }
  if (auto room = check_room(byte_size); !room)
    return tl::unexpected(room.error());
  if (auto opened = open_upload(upload_id, byte_size); !opened)
    return tl::unexpected(opened.error());
  return std::uint64_t{0};
}

runtime::expected<void> repository::check_room(std::uint64_t byte_size) const {
  if (byte_size > options_.file_bytes_max)
    return runtime::fail(error_code::too_large, "a model file may have at most "
                                                  + std::to_string(options_.file_bytes_max)
                                                  + " bytes");
  const auto unfinished = resumable_uploads();
  std::uint64_t taken = 0;
  for (const auto& each : unfinished)
    taken += each.byte_size;
  if (unfinished.size() >= options_.resumable_max)
    return runtime::fail(error_code::overloaded,
                         std::to_string(unfinished.size()) + " uploads are unfinished already");
  if (taken > options_.resumable_bytes_max || byte_size > options_.resumable_bytes_max - taken)
    return runtime::fail(error_code::overloaded,
                         "unfinished uploads may come to "
                           + std::to_string(options_.resumable_bytes_max) + " bytes together, "
                           + std::to_string(taken) + " are taken");
  return {};
}

std::vector<resumable_upload> repository::resumable_uploads() const {
  std::vector<resumable_upload> result;
  for (const auto& [id, each] : uploads_)
    if (each.byte_size > 0)
      result.push_back({id, each.byte_size, each.file.size(),
                        written_ns_of(each.file.path()) / 1'000'000});
  return result;
}

runtime::expected<std::uint64_t> repository::flush_upload(const std::string& upload_id) {
  const auto found = uploads_.find(upload_id);
  if (found == uploads_.end() || !found->second.digest.empty())
    return runtime::fail(error_code::not_found, "there is no open upload \"" + upload_id + "\"");
  if (auto flushed = found->second.file.flush(); !flushed)
    return tl::unexpected(flushed.error());
  return found->second.file.size();
}

void repository::empty_staging(std::error_code& error) {
  for (fs::directory_iterator each{staging_folder(), error}, end; !error && each != end;
       each.increment(error))
    if (each->path() != resumable_folder())
      fs::remove_all(each->path(), error);
}

void repository::read_resumable() {
  std::error_code error;
  std::vector<fs::path> folders;
  for (fs::directory_iterator each{resumable_folder(), error}, end; !error && each != end;
       each.increment(error))
    folders.push_back(each->path());
  for (const fs::path& folder : folders) {
    const auto [id, byte_size] = parse_folder(folder.filename());
    auto file = staged_file::reopen(folder / "part");
    if (file && is_upload_id(id) && byte_size > 0 && file->size() <= byte_size)
      uploads_.insert_or_assign(id, upload{std::move(*file), {}, byte_size});
    else
      fs::remove_all(folder, error);
  }
}

fs::path repository::resumable_folder() const {
  // No upload's id begins with a dot.
  return staging_folder() / ".resumable";
}

fs::path repository::upload_folder(const std::string& upload_id, std::uint64_t byte_size) const {
  if (byte_size == 0)
    return staging_folder() / upload_id;
  return resumable_folder() / (upload_id + "." + std::to_string(byte_size));
}

}  // namespace dim::models
