#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "runtime/bytes.hpp"
#include "runtime/digest.hpp"
#include "runtime/errors.hpp"

/// Files that either are on disk completely or are not there: the ground under the model repository
/// and the model cache. Failures are `store_full` when the disk is, else `internal` with the
/// system's words.
namespace dim::models {

/// A file that is being received: written under a temporary name, hashed as it grows, and moved to
/// its place at the end. A staged file that is destroyed without `publish` removes its temporary,
/// unless it is kept.
class staged_file {
public:
  /// Creates `path` (it must not exist).
  static runtime::expected<staged_file> create(std::filesystem::path path);
  /// Opens `path`, which an earlier process has kept, to write on behind its end. What is there is
  /// hashed little by little, with what is appended, and the rest of it by `seal`. Errors:
  /// not_found.
  static runtime::expected<staged_file> reopen(std::filesystem::path path);

  staged_file(staged_file&& other) noexcept;
  staged_file& operator=(staged_file&& other) noexcept;
  ~staged_file();

  /// From now on the temporary stays when this object goes, for `reopen`.
  void keep() noexcept {
    is_kept_ = true;
  }

  /// Writes all of `data` behind what is there, or nothing of it.
  runtime::expected<void> append(std::string_view data);

  /// Flushes to the disk what has been written.
  runtime::expected<void> flush();

  /// Flushes to the disk and closes. Nothing can be appended afterwards. Returns the SHA-256 of the
  /// whole file in hex.
  runtime::expected<std::string> seal();

  /// Moves the sealed file to `target` in the same file system, replacing what is there, and
  /// flushes the target's folder.
  runtime::expected<void> publish(const std::filesystem::path& target);

  const std::filesystem::path& path() const noexcept {
    return path_;
  }
  std::uint64_t size() const noexcept {
    return size_;
  }

private:
  staged_file(std::filesystem::path path, int descriptor);
  void discard() noexcept;
  runtime::expected<void> write(std::string_view data);
  /// Hashes up to `bytes_max` bytes of what has been written and not been hashed.
  runtime::expected<void> catch_up(std::uint64_t bytes_max);

  std::filesystem::path path_;
  int descriptor_ = -1;
  bool is_kept_ = false;
  std::uint64_t size_ = 0;
  std::uint64_t hashed_ = 0;
  runtime::sha256_hasher hasher_;
};

/// Flushes a folder's entries to the disk.
runtime::expected<void> sync_folder(const std::filesystem::path& folder);

/// Writes `text` to `path` so that a crash leaves the old or the new content, never a part.
runtime::expected<void> write_atomically(const std::filesystem::path& path, std::string_view text);

/// The content of a file of at most `bytes_max` bytes. Errors: not_found, too_large.
runtime::expected<std::string> read_text(const std::filesystem::path& path,
                                         std::uint64_t bytes_max);

/// The bytes `offset` .. `offset + length` of a file, fewer at its end, none beyond it. Errors:
/// not_found.
runtime::expected<runtime::bytes> read_block(const std::filesystem::path& path,
                                             std::uint64_t offset, std::uint64_t length);

/// The time of a file's last write, in nanoseconds since the Unix epoch; 0 when it is not there.
std::int64_t written_ns_of(const std::filesystem::path& path);

/// SHA-256 of a file in hex, read in blocks. Errors: not_found.
runtime::expected<std::string> digest_of_file(const std::filesystem::path& path);

}  // namespace dim::models
