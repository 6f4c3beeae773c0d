#include "models/disk_file.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dim::models {

namespace {

using runtime::error_code;

/// What is hashed of a file that was opened again, with each block that is appended to it: more
/// than a block, so that it is level soon, and little enough for a moment.
constexpr std::uint64_t catch_up_bytes = std::uint64_t{16} << 20;

tl::unexpected<runtime::failure> system_failure(const std::string& doing,
                                                const std::filesystem::path& path, int error) {
  error_code code = error_code::internal;
  if (error == ENOSPC || error == EDQUOT)
    code = error_code::store_full;
  else if (error == ENOENT)
    code = error_code::not_found;
  return runtime::fail(code, "can not " + doing + " " + path.string() + ": "
                               + std::generic_category().message(error));
}

/// A file descriptor that closes itself.
class open_file {
public:
  open_file(const std::filesystem::path& path, int flags)
    : descriptor_(::open(path.c_str(), flags | O_CLOEXEC)) {
  }
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;
  ~open_file() {
    if (descriptor_ >= 0)
      ::close(descriptor_);
  }
  bool is_open() const noexcept {
    return descriptor_ >= 0;
  }
  int descriptor() const noexcept {
    return descriptor_;
  }

private:
  int descriptor_;
};

/// Reads until `size` bytes are there or the file ends; -1 on an error, which stays in `errno`.
ssize_t read_fully(int descriptor, char* target, std::size_t size, std::uint64_t offset) {
  std::size_t got = 0;
  while (got < size) {
    const ssize_t count =
      ::pread(descriptor, target + got, size - got, static_cast<off_t>(offset + got));
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return -1;
    if (count == 0)
      break;
    got += static_cast<std::size_t>(count);
  }
  return static_cast<ssize_t>(got);
}

}  // namespace

staged_file::staged_file(std::filesystem::path path, int descriptor)
  : path_(std::move(path)), descriptor_(descriptor) {
}

staged_file::staged_file(staged_file&& other) noexcept
  : path_(std::exchange(other.path_, {})),
    descriptor_(std::exchange(other.descriptor_, -1)),
    is_kept_(other.is_kept_),
    size_(other.size_),
    hashed_(other.hashed_),
    hasher_(std::move(other.hasher_)) {
}

staged_file& staged_file::operator=(staged_file&& other) noexcept {
  if (this != &other) {
    discard();
    path_ = std::exchange(other.path_, {});
    descriptor_ = std::exchange(other.descriptor_, -1);
    is_kept_ = other.is_kept_;
    size_ = other.size_;
    hashed_ = other.hashed_;
    hasher_ = std::move(other.hasher_);
  }
  return *this;
}

staged_file::~staged_file() {
  discard();
}

void staged_file::discard() noexcept {
  if (descriptor_ >= 0)
    ::close(std::exchange(descriptor_, -1));
  if (!path_.empty() && !is_kept_)
    ::unlink(path_.c_str());
}

runtime::expected<staged_file> staged_file::create(std::filesystem::path path) {
  const int flags = O_CREAT | O_EXCL | O_WRONLY | O_APPEND | O_CLOEXEC;
  const int descriptor = ::open(path.c_str(), flags, 0644);
  if (descriptor < 0)
    return system_failure("create", path, errno);
  return staged_file{std::move(path), descriptor};
}

runtime::expected<staged_file> staged_file::reopen(std::filesystem::path path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC);
  if (descriptor < 0)
    return system_failure("open", path, errno);
  staged_file file{std::move(path), descriptor};
  file.keep();
  struct stat facts {};
  if (::fstat(descriptor, &facts) != 0)
    return system_failure("open", file.path_, errno);
  file.size_ = static_cast<std::uint64_t>(facts.st_size);
  return file;
}

runtime::expected<void> staged_file::append(std::string_view data) {
  if (auto written = write(data); !written) {
    // A disk that is full may have taken a part.
    if (::ftruncate(descriptor_, static_cast<off_t>(size_)) != 0)
      return system_failure("shorten", path_, errno);
    return written;
  }
  const bool is_level = hashed_ == size_;
  size_ += data.size();
  if (!is_level)
    return catch_up(catch_up_bytes);
  hasher_.update(data);
  hashed_ = size_;
  return {};
}

runtime::expected<void> staged_file::write(std::string_view data) {
  std::string_view rest = data;
  while (!rest.empty()) {
    const ssize_t count = ::write(descriptor_, rest.data(), rest.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return system_failure("write", path_, errno);
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

runtime::expected<void> staged_file::catch_up(std::uint64_t bytes_max) {
  const std::uint64_t end = hashed_ + std::min(size_ - hashed_, bytes_max);
  std::vector<char> buffer(std::min<std::uint64_t>(end - hashed_, std::uint64_t{1} << 20));
  while (hashed_ < end) {
    const auto wanted = std::min<std::uint64_t>(buffer.size(), end - hashed_);
    const ssize_t got = read_fully(descriptor_, buffer.data(), wanted, hashed_);
    if (got <= 0)
      return system_failure("read", path_, got < 0 ? errno : EIO);
    hasher_.update(buffer.data(), static_cast<std::size_t>(got));
    hashed_ += static_cast<std::uint64_t>(got);
  }
  return {};
}

runtime::expected<void> staged_file::flush() {
  if (::fsync(descriptor_) != 0)
    return system_failure("flush", path_, errno);
  return {};
}

runtime::expected<std::string> staged_file::seal() {
  if (auto level = catch_up(size_); !level)
    return tl::unexpected(level.error());
  if (auto flushed = flush(); !flushed)
    return tl::unexpected(flushed.error());
  if (::close(std::exchange(descriptor_, -1)) != 0)
    return system_failure("close", path_, errno);
  return hasher_.finish();
}

runtime::expected<void> staged_file::publish(const std::filesystem::path& target) {
  if (::rename(path_.c_str(), target.c_str()) != 0)
    return system_failure("move to its place", path_, errno);
  path_.clear();
  return sync_folder(target.parent_path());
}

runtime::expected<void> sync_folder(const std::filesystem::path& folder) {
  const open_file file(folder, O_RDONLY | O_DIRECTORY);
  if (!file.is_open() || ::fsync(file.descriptor()) != 0)
    return system_failure("flush", folder, errno);
  return {};
}

runtime::expected<void> write_atomically(const std::filesystem::path& path,
                                         std::string_view text) {
  std::filesystem::path temporary = path;
  temporary += ".new";
  ::unlink(temporary.c_str());
  auto file = staged_file::create(temporary);
  if (!file)
    return tl::unexpected(file.error());
  if (auto written = file->append(text); !written)
    return written;
  if (auto sealed = file->seal(); !sealed)
    return tl::unexpected(sealed.error());
  return file->publish(path);
}

runtime::expected<std::string> read_text(const std::filesystem::path& path,
                                         std::uint64_t bytes_max) {
  const auto block = read_block(path, 0, bytes_max + 1);
  if (!block)
    return tl::unexpected(block.error());
  if (block->size() > bytes_max)
    return runtime::fail(error_code::too_large, path.string() + " is larger than "
                                                  + std::to_string(bytes_max) + " bytes");
  return std::string{block->view()};
}

runtime::expected<runtime::bytes> read_block(const std::filesystem::path& path,
                                             std::uint64_t offset, std::uint64_t length) {
  const open_file file(path, O_RDONLY);
  struct stat facts {};
  if (!file.is_open() || ::fstat(file.descriptor(), &facts) != 0)
    return system_failure("read", path, errno);
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  const std::uint64_t wanted = offset < size ? std::min(length, size - offset) : 0;
  std::vector<char> buffer(wanted);
  const ssize_t got = read_fully(file.descriptor(), buffer.data(), buffer.size(), offset);
  if (got < 0)
    return system_failure("read", path, errno);
  buffer.resize(static_cast<std::size_t>(got));
  return runtime::bytes{std::move(buffer)};
}

std::int64_t written_ns_of(const std::filesystem::path& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0)
    return 0;
  return std::int64_t{facts.st_mtim.tv_sec} * 1'000'000'000 + facts.st_mtim.tv_nsec;
}

runtime::expected<std::string> digest_of_file(const std::filesystem::path& path) {
  const open_file file(path, O_RDONLY);
  if (!file.is_open())
    return system_failure("read", path, errno);
  runtime::sha256_hasher hasher;
  std::vector<char> buffer(std::size_t{1} << 20);
  for (std::uint64_t offset = 0;;) {
    const ssize_t got = read_fully(file.descriptor(), buffer.data(), buffer.size(), offset);
    if (got < 0)
      return system_failure("read", path, errno);
    if (got == 0)
      return hasher.finish();
    hasher.update(buffer.data(), static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
}

}  // namespace dim::models
