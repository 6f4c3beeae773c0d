#include "actors/store/backup_copy.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "actors/store/backup_check.hpp"
#include "actors/store/blob_names.hpp"
#include "models/disk_file.hpp"

namespace dim::actors {

namespace {

namespace fs = std::filesystem;
using runtime::error_code;
using runtime::expected;

tl::unexpected<runtime::failure> fail_file(const fs::path& path, std::error_code problem) {
  auto is_full = problem == std::errc::no_space_on_device;
  return runtime::fail(is_full ? error_code::store_full : error_code::internal,
                       path.string() + " can not be copied: " + problem.message());
}

/// One backup in the making.
class backup_copy {
public:
  backup_copy(const backup_source& source, const fs::path& folder, backup_progress& progress)
    : source_(source), folder_(folder), progress_(progress) {
  }

  expected<backup_manifest> run(std::int64_t now_ms);
  /// Removes what was made.
  void undo();

private:
  expected<void> copy_store();
  expected<void> copy_blobs(const blob_sizes& blobs);
  expected<void> copy_models();
  /// Puts the file at `from` into the backup under `path`, as a link or a copy; false when it is
  /// not there any more.
  expected<bool> place(const fs::path& from, const std::string& path);
  expected<void> note(const std::string& path, std::string digest);
  expected<void> flush() const;

  const backup_source& source_;
  const fs::path& folder_;
  backup_progress& progress_;
  backup_manifest manifest_;
};

expected<backup_manifest> backup_copy::run(std::int64_t now_ms) {
  if (auto done = copy_store(); !done)
    return tl::unexpected(std::move(done.error()));
  auto content = read_store_content(folder_ / "store");
  if (!content)
    return tl::unexpected(std::move(content.error()));
  manifest_.cluster = source_.cluster;
  manifest_.made_at = now_ms;
  manifest_.schema = content->schema;
  manifest_.generation = content->generation;
  manifest_.last_event = content->last_event;
  manifest_.jobs = content->jobs;
  auto done = copy_blobs(content->blobs);
  if (done)
    done = copy_models();
  if (done)
    done = flush();
  if (done)
    done = models::write_atomically(folder_ / manifest_name, to_text(manifest_));
  if (!done)
    return tl::unexpected(std::move(done.error()));
  return std::move(manifest_);
}

void backup_copy::undo() {
  std::error_code ignored;
  for (auto* part : {"store", "blobs", "models", manifest_name})
    fs::remove_all(folder_ / part, ignored);
}

expected<void> backup_copy::copy_store() {
  auto target = folder_ / "store";
  std::error_code problem;
  fs::create_directory(target, problem);
  if (problem)
    return fail_file(target, problem);
  if (auto done = source_.database.copy_to(target); !done)
    return done;
  auto digest = models::digest_of_file(target / "data.mdb");
  if (!digest)
    return tl::unexpected(std::move(digest.error()));
  return note("store/data.mdb", std::move(*digest));
}

expected<void> backup_copy::copy_blobs(const blob_sizes& blobs) {
  for (auto& [digest, byte_size] : blobs) {
    auto path = "blobs/" + digest.substr(0, 2) + "/" + digest;
    auto placed = place(source_.blobs.path_of(digest), path);
    if (!placed)
      return tl::unexpected(std::move(placed.error()));
    std::error_code problem;
    if (!*placed || fs::file_size(folder_ / path, problem) != byte_size)
      return runtime::fail(error_code::corrupt, "blob " + digest + ", which the database names, is "
                                                  + (*placed ? "cut short" : "missing"));
    if (auto done = note(path, digest); !done)
      return done;
  }
  return {};
}

expected<void> backup_copy::copy_models() {
  auto& root = source_.models_folder;
  std::error_code problem;
  std::vector<fs::path> files;
  if (!fs::exists(root, problem))
    return {};
  for (fs::recursive_directory_iterator each(root, problem), end; each != end;
       each.increment(problem)) {
    if (problem)
      return fail_file(root, problem);
    // Uploads on their way, and files that are being replaced, belong to nobody yet.
    if (each.depth() == 0 && each->is_directory() && each->path().filename() == ".staging")
      each.disable_recursion_pending();
    else if (each->is_regular_file(problem))
      files.push_back(each->path());
  }
  std::sort(files.begin(), files.end());
  for (auto& file : files) {
    auto path = "models/" + file.lexically_relative(root).generic_string();
    auto placed = place(file, path);
    if (!placed)
      return tl::unexpected(std::move(placed.error()));
    if (!*placed)
      continue;
    auto digest = models::digest_of_file(folder_ / path);
    if (!digest)
      return tl::unexpected(std::move(digest.error()));
    if (auto done = note(path, std::move(*digest)); !done)
      return done;
  }
  return {};
}

expected<bool> backup_copy::place(const fs::path& from, const std::string& path) {
  if (progress_.is_cancelled)
    return runtime::fail(error_code::cancelled, "the process ends before the backup does");
  auto target = folder_ / path;
  std::error_code problem;
  fs::create_directories(target.parent_path(), problem);
  if (problem)
    return fail_file(target, problem);
  // Files of both stores are replaced, never written again, so that a link keeps its bytes.
  if (::link(from.c_str(), target.c_str()) == 0)
    return true;
  if (errno == ENOENT)
    return false;
  fs::copy_file(from, target, problem);
  if (problem == std::errc::no_such_file_or_directory)
    return false;
  if (problem)
    return fail_file(from, problem);
  return true;
}

expected<void> backup_copy::note(const std::string& path, std::string digest) {
  std::error_code problem;
  auto byte_size = fs::file_size(folder_ / path, problem);
  if (problem)
    return fail_file(folder_ / path, problem);
  manifest_.files.push_back({path, std::move(digest), byte_size});
  ++progress_.files;
  progress_.bytes += byte_size;
  return {};
}

expected<void> backup_copy::flush() const {
  auto descriptor = ::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  auto is_flushed = descriptor >= 0 && ::syncfs(descriptor) == 0;
  auto problem = std::error_code{errno, std::generic_category()};
  if (descriptor >= 0)
    ::close(descriptor);
  if (!is_flushed)
    return fail_file(folder_, problem);
  return {};
}

expected<void> prepare(const fs::path& folder) {
  if (!folder.is_absolute())
    return runtime::fail(error_code::bad_input, "the folder of a backup is an absolute path");
  std::error_code problem;
  fs::create_directories(folder, problem);
  if (problem)
    return runtime::fail(error_code::bad_input,
                         "can not make " + folder.string() + ": " + problem.message());
  if (!fs::is_empty(folder, problem) || problem)
    return runtime::fail(error_code::bad_input, folder.string() + " is not an empty folder");
  return {};
}

}  // namespace

expected<backup_manifest> make_backup(const backup_source& source, const fs::path& folder,
                                      std::int64_t now_ms, backup_progress& progress) {
  if (auto done = prepare(folder); !done)
    return tl::unexpected(std::move(done.error()));
  auto kept = source.blobs.keep_all();
  backup_copy copy{source, folder, progress};
  auto made = copy.run(now_ms);
  if (!made)
    copy.undo();
  return made;
}

}  // namespace dim::actors
