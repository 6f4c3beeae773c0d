#include "actors/store/backup_check.hpp"

#include <set>
#include <system_error>

#include "actors/store/records.hpp"
#include "models/disk_file.hpp"
#include "runtime/store.hpp"
#include "runtime/store_check.hpp"

namespace dim::actors {

namespace {

namespace fs = std::filesystem;
using runtime::error_code;
using runtime::expected;

constexpr std::uint64_t manifest_bytes_max = 1ull << 30;
constexpr const char* database_path = "store/data.mdb";
constexpr std::size_t problems_max = 100;

/// Removes what reading a database leaves beside it.
struct lock_files {
  const fs::path& folder;

  ~lock_files() {
    std::error_code ignored;
    for (auto* name : {"lock.mdb", "owner.lock"})
      fs::remove(folder / name, ignored);
  }
};

expected<std::uint64_t> number_at(const runtime::transaction& snapshot, std::string_view key) {
  auto stored = snapshot.get(tables::meta, key);
  if (!stored)
    return tl::unexpected(std::move(stored.error()));
  return number_in_key(stored->value_or(""));
}

/// What is wrong with one file; empty when nothing is.
std::string problem_of(const fs::path& backup, const backup_file& file) {
  std::error_code problem;
  auto byte_size = fs::file_size(backup / file.path, problem);
  if (problem)
    return file.path + ": " + problem.message();
  if (byte_size != file.byte_size)
    return file.path + ": has " + std::to_string(byte_size) + " bytes, not "
           + std::to_string(file.byte_size);
  auto digest = models::digest_of_file(backup / file.path);
  if (!digest)
    return file.path + ": " + digest.error().message;
  return *digest == file.digest ? std::string{} : file.path + ": its bytes have changed";
}

/// What is wrong with the database and the blobs that it names.
void check_database(const fs::path& backup, const backup_manifest& manifest,
                    std::vector<std::string>& problems) {
  auto folder = backup / "store";
  lock_files removed{folder};
  if (auto whole = runtime::check_in_this_process(folder); !whole) {
    problems.push_back(std::string{database_path} + ": " + whole.error().message);
    return;
  }
  auto content = read_store_content(folder);
  if (!content) {
    problems.push_back(std::string{database_path} + ": " + content.error().message);
    return;
  }
  std::set<std::string> listed;
  for (auto& file : manifest.files)
    if (file.path.starts_with("blobs/"))
      listed.insert(file.digest);
  for (auto& [digest, byte_size] : content->blobs)
    if (!listed.contains(digest) && problems.size() < problems_max)
      problems.push_back("blob " + digest + ", which the database names, is missing");
}

expected<backup_manifest> read_manifest(const fs::path& backup) {
  auto text = models::read_text(backup / manifest_name, manifest_bytes_max);
  if (!text)
    return runtime::fail(error_code::not_found,
                         backup.string() + " is no backup: it has no " + manifest_name);
  return manifest_from_text(*text);
}

expected<void> copy_files(const fs::path& backup, const backup_manifest& manifest,
                          const fs::path& data_dir) {
  std::error_code problem;
  for (auto& file : manifest.files) {
    auto target = data_dir / file.path;
    fs::create_directories(target.parent_path(), problem);
    if (!problem)
      fs::copy_file(backup / file.path, target, problem);
    if (problem)
      return runtime::fail(problem == std::errc::no_space_on_device ? error_code::store_full
                                                                    : error_code::internal,
                           target.string() + " can not be written: " + problem.message());
  }
  for (auto& file : manifest.files)
    if (auto problem_words = problem_of(data_dir, file); !problem_words.empty())
      return runtime::fail(error_code::corrupt, "the copy is not whole: " + problem_words);
  return {};
}

}  // namespace

expected<store_content> read_store_content(const fs::path& folder) {
  lock_files removed{folder};
  auto database = runtime::store::open_read_only(folder);
  if (!database)
    return tl::unexpected(std::move(database.error()));
  auto snapshot = (*database)->read();
  if (!snapshot)
    return tl::unexpected(std::move(snapshot.error()));
  store_content result;
  result.schema = (*database)->schema_version();
  auto generation = number_at(*snapshot, generation_key);
  auto last_event = number_at(*snapshot, last_event_key);
  auto jobs = snapshot->count(tables::jobs);
  auto blobs = blobs_named_in(*snapshot);
  if (!generation || !last_event || !jobs || !blobs)
    return tl::unexpected(!generation   ? generation.error()
                          : !last_event ? last_event.error()
                          : !jobs       ? jobs.error()
                                        : blobs.error());
  result.generation = *generation;
  result.last_event = *last_event;
  result.jobs = *jobs;
  result.blobs = std::move(*blobs);
  return result;
}

expected<backup_manifest> verify_backup(const fs::path& backup) {
  auto manifest = read_manifest(backup);
  if (!manifest)
    return manifest;
  if (manifest->schema > schema_version)
    return runtime::fail(error_code::unsupported,
                         "the backup has schema version " + std::to_string(manifest->schema)
                           + ", this program knows " + std::to_string(schema_version)
                           + ": a newer program has made it");
  std::vector<std::string> problems;
  bool has_database = false;
  for (auto& file : manifest->files) {
    auto problem = problem_of(backup, file);
    if (!problem.empty() && problems.size() < problems_max)
      problems.push_back(std::move(problem));
    has_database = has_database || file.path == database_path;
  }
  if (!has_database)
    problems.emplace_back("it has no database");
  // A database whose bytes have changed is not opened: it may kill its reader.
  if (problems.empty())
    check_database(backup, *manifest, problems);
  if (!problems.empty())
    return runtime::fail(error_code::corrupt, "the backup in " + backup.string() + " is damaged",
                         std::move(problems));
  return manifest;
}

expected<backup_manifest> restore_backup(const fs::path& backup, const fs::path& data_dir) {
  std::error_code problem;
  if (fs::exists(data_dir, problem) && !fs::is_empty(data_dir, problem))
    return runtime::fail(error_code::conflict, data_dir.string() + " is not an empty folder");
  auto manifest = verify_backup(backup);
  if (!manifest)
    return manifest;
  if (auto copied = copy_files(backup, *manifest, data_dir); !copied) {
    for (auto& file : manifest->files)
      fs::remove(data_dir / file.path, problem);
    return tl::unexpected(std::move(copied.error()));
  }
  return manifest;
}

}  // namespace dim::actors
