#include "runtime/blob_store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "runtime/copy_count.hpp"
#include "runtime/digest.hpp"

namespace dim::runtime {

namespace {

namespace fs = std::filesystem;

/// Files of writes on their way end so, and are never taken for blobs.
constexpr std::string_view unfinished_suffix = ".unfinished";

class open_file {
public:
  open_file(const fs::path& path, int flags) : descriptor_(::open(path.c_str(), flags, 0644)) {
  }
  open_file(const open_file&) = delete;
  ~open_file() {
    if (descriptor_ >= 0)
      ::close(descriptor_);
  }
  int descriptor() const noexcept {
    return descriptor_;
  }
  bool is_open() const noexcept {
    return descriptor_ >= 0;
  }

private:
  int descriptor_;
};

tl::unexpected<failure> fail_file(const fs::path& path, std::string_view action, int problem) {
  const bool full = problem == ENOSPC || problem == EDQUOT || problem == EFBIG;
  return fail(full ? error_code::store_full : error_code::internal,
              "the file " + path.string() + " can not be " + std::string(action) + ": "
                + std::generic_category().message(problem));
}

tl::unexpected<failure> fail_digest() {
  return fail(error_code::bad_input, "a digest is 64 lower-case hex digits");
}

bool write_all(int descriptor, std::string_view data) {
  const auto size = data.size();
  while (!data.empty()) {
    const auto written = ::write(descriptor, data.data(), data.size());
    if (written < 0 && errno != EINTR)
      return false;
    data.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
  }
  note_copy(copy_place::store_write, size);
  return true;
}

/// Reads until `size` bytes are there or the file ends; the count, or -1.
ssize_t read_all(int descriptor, char* target, std::size_t size, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < size) {
    const auto got
      = ::pread(descriptor, target + done, size - done, static_cast<off_t>(offset + done));
    if (got == 0)
      break;
    if (got < 0 && errno != EINTR)
      return -1;
    done += static_cast<std::size_t>(std::max<ssize_t>(got, 0));
  }
  note_copy(copy_place::store_read, done);
  return static_cast<ssize_t>(done);
}

std::array<timespec, 2> times_at(std::int64_t now_ms) {
  const timespec time{now_ms / 1000, (now_ms % 1000) * 1'000'000};
  return {time, time};
}

expected<void> flush_folder(const fs::path& folder) {
  const open_file file(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!file.is_open() || ::fsync(file.descriptor()) != 0)
    return fail_file(folder, "flushed", errno);
  return {};
}

/// Makes `path` as a whole file with these bytes and this time.
expected<void> write_file(const fs::path& path, std::string_view data, bool sync,
                          std::int64_t now_ms) {
  const open_file file(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC);
  if (!file.is_open())
    return fail_file(path, "made", errno);
  if (!write_all(file.descriptor(), data)
      || ::futimens(file.descriptor(), times_at(now_ms).data()) != 0
      || (sync && ::fsync(file.descriptor()) != 0))
    return fail_file(path, "written", errno);
  return {};
}

std::int64_t written_at(const struct stat& facts) {
  return std::int64_t{facts.st_mtim.tv_sec} * 1000 + facts.st_mtim.tv_nsec / 1'000'000;
}

using file_visitor = std::function<void(const fs::path&, const struct stat&)>;

/// Calls `visit` with every file two levels below `folder`.
expected<void> for_each_file(const fs::path& folder, const file_visitor& visit) {
  std::error_code problem;
  for (fs::recursive_directory_iterator place(folder, problem), end; place != end;
       place.increment(problem)) {
    struct stat facts;
    if (place.depth() == 1 && ::lstat(place->path().c_str(), &facts) == 0
        && S_ISREG(facts.st_mode))
      visit(place->path(), facts);
    if (problem)
      break;
  }
  if (problem)
    return fail_file(folder, "listed", problem.value());
  return {};
}

}  // namespace

expected<blob_store> blob_store::open(fs::path folder, bool sync, disk_faults faults) {
  std::error_code problem;
  fs::create_directories(folder, problem);
  if (problem)
    return fail_file(folder, "made", problem.value());
  return blob_store{std::move(folder), sync, std::move(faults)};
}

fs::path blob_store::path_of(std::string_view digest) const {
  return folder_ / digest.substr(0, 2) / digest;
}

expected<void> blob_store::write(std::string_view digest, std::string_view data,
                                 std::int64_t now_ms) const {
  if (!is_digest(digest))
    return fail_digest();
  const fs::path target = path_of(digest);
  struct stat facts;
  if (::stat(target.c_str(), &facts) == 0
      && static_cast<std::uint64_t>(facts.st_size) == data.size()) {
    if (::utimensat(AT_FDCWD, target.c_str(), times_at(now_ms).data(), 0) != 0)
      return fail_file(target, "touched", errno);
    return {};
  }
  if (auto wanted = faults_.ask(disk_write::blob); !wanted)
    return wanted;
  std::error_code problem;
  const bool new_folder = fs::create_directories(target.parent_path(), problem);
  if (problem)
    return fail_file(target.parent_path(), "made", problem.value());
  fs::path unfinished = target;
  unfinished += unfinished_suffix;
  auto done = write_file(unfinished, data, sync_, now_ms);
  if (done && ::rename(unfinished.c_str(), target.c_str()) != 0)
    done = fail_file(target, "renamed", errno);
  if (done && sync_)
    done = flush_folder(target.parent_path());
  if (done && sync_ && new_folder)
    done = flush_folder(folder_);
  if (done)
    faults_.tell(disk_write::blob);
  else
    fs::remove(unfinished, problem);
  return done;
}

expected<blob_chunk> blob_store::read_chunk(std::string_view digest, std::uint64_t offset,
                                            std::uint64_t length) const {
  if (!is_digest(digest))
    return fail_digest();
  const fs::path path = path_of(digest);
  const open_file file(path, O_RDONLY | O_CLOEXEC);
  if (!file.is_open() && errno == ENOENT)
    return fail(error_code::not_found, "there is no blob " + std::string(digest));
  struct stat facts;
  if (!file.is_open() || ::fstat(file.descriptor(), &facts) != 0)
    return fail_file(path, "opened", errno);
  const auto total = static_cast<std::uint64_t>(facts.st_size);
  if (offset > total)
    return fail(error_code::bad_input, "offset " + std::to_string(offset)
                                         + " is beyond the blob's " + std::to_string(total)
                                         + " bytes");
  std::vector<char> buffer(std::min(length, total - offset));
  const auto got = read_all(file.descriptor(), buffer.data(), buffer.size(), offset);
  if (got < 0)
    return fail_file(path, "read", errno);
  buffer.resize(static_cast<std::size_t>(got));
  return blob_chunk{bytes{std::move(buffer)}, total};
}

bool blob_store::exists(std::string_view digest) const {
  std::error_code problem;
  return is_digest(digest) && fs::exists(path_of(digest), problem);
}

expected<std::vector<blob_facts>> blob_store::list() const {
  std::vector<blob_facts> result;
  auto done = for_each_file(folder_, [&](const fs::path& path, const struct stat& facts) {
    if (is_digest(path.filename().string()))
      result.push_back({path.filename().string(), static_cast<std::uint64_t>(facts.st_size),
                        written_at(facts)});
  });
  if (!done)
    return tl::unexpected(std::move(done.error()));
  std::sort(result.begin(), result.end(),
            [](const auto& left, const auto& right) { return left.digest < right.digest; });
  return result;
}

expected<void> blob_store::remove(std::string_view digest) const {
  if (!is_digest(digest))
    return fail_digest();
  const fs::path path = path_of(digest);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return fail_file(path, "removed", errno);
  return {};
}

blob_store::keep_guard blob_store::keep_all() const {
  ++*guards_;
  return {guards_.get(), [guards = guards_](const void*) { --*guards; }};
}

expected<std::size_t> blob_store::collect_unreferenced(
  const std::function<bool(const std::string& digest)>& is_referenced,
  std::int64_t written_before) const {
  if (*guards_ > 0)
    return 0;
  std::vector<fs::path> unwanted;
  std::size_t blobs = 0;
  auto done = for_each_file(folder_, [&](const fs::path& path, const struct stat& facts) {
    if (written_at(facts) >= written_before)
      return;
    const std::string name = path.filename().string();
    const bool is_blob = is_digest(name);
    if (is_blob ? is_referenced(name) : !name.ends_with(unfinished_suffix))
      return;
    unwanted.push_back(path);
    blobs += is_blob ? 1 : 0;
  });
  if (!done)
    return tl::unexpected(std::move(done.error()));
  for (const auto& path : unwanted)
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
      return fail_file(path, "removed", errno);
  return blobs;
}

}  // namespace dim::runtime
