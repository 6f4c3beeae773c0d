#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/disk_file.hpp"
#include "runtime/errors.hpp"

namespace dim::models {

struct model_cache_options {
  std::filesystem::path folder;
  /// What the cached files may hold together, in bytes.
  std::uint64_t bytes_max = 50'000'000'000;
};

/// A node's model files on disk, addressed by digest (`<folder>/<sha256>.pt`), the least recently
/// used going first when room is needed. A file on its way is `<sha256>.part`; it is removed at the
/// next start if the process dies. The order of use is kept in the files' times, so that it
/// survives a restart.
///
///     absent --begin--> receiving --commit--> cached <--pin/unpin--> pinned
///                               \--abandon--> absent <--evicted-- /
///
/// Invariants: cached and announced bytes together never exceed `bytes_max`; a pinned file is never
/// evicted; a file is visible only when its content had its digest and was flushed.
///
/// One actor owns a cache; it is not safe for threads. Every call may block on the disk.
class model_cache {
public:
  /// Opens the folder, makes it when it is not there, removes stale parts, and evicts what is
  /// beyond the limit. Errors: internal (the folder can not be used).
  static runtime::expected<model_cache> open(model_cache_options options);

  /// The cached file, which thereby counts as just used; nothing when it is not there.
  std::optional<std::filesystem::path> lookup(std::string_view digest);

  /// Announces a file of `byte_size` bytes that will be received, and makes room for it. Errors:
  /// bad_input (not a digest), conflict (cached already, or on its way), too_large (larger than the
  /// whole cache), store_full (what is pinned or on its way leaves no room, or the disk is full).
  runtime::expected<void> begin(const std::string& digest, std::uint64_t byte_size);

  /// Adds a block at `offset`, which must be what has been received; returns what has been received
  /// now. Errors abandon the file: not_found (not begun), bad_input (wrong offset), corrupt (more
  /// than announced), store_full.
  runtime::expected<std::uint64_t> append(const std::string& digest, std::uint64_t offset,
                                          std::string_view data);

  /// Checks size and digest and makes the file visible. Errors abandon it: not_found, corrupt,
  /// store_full, internal.
  runtime::expected<std::filesystem::path> commit(const std::string& digest);

  /// Forgets a file on its way. Unknown digests are ignored.
  void abandon(const std::string& digest);

  /// Keeps a cached file from eviction until as many `unpin` have followed. Errors: not_found.
  runtime::expected<void> pin(std::string_view digest);
  void unpin(std::string_view digest);

  /// Removes a cached file that turned out to be damaged, pinned or not. Unknown digests are
  /// ignored.
  void drop(std::string_view digest);

  /// Bytes of the cached files.
  std::uint64_t used_bytes() const noexcept {
    return used_bytes_;
  }

  /// Digests of the cached files, sorted.
  std::vector<std::string> digests() const;

private:
  struct cached_file {
    std::uint64_t byte_size = 0;
    std::uint64_t last_use = 0;  ///< Rank in the order of use; larger is later.
    std::uint32_t pins = 0;
  };
  struct part {
    staged_file file;
    std::uint64_t byte_size = 0;
  };

  using file_map = std::map<std::string, cached_file, std::less<>>;

  explicit model_cache(model_cache_options options);
  runtime::expected<void> read_folder();
  std::filesystem::path path_of(std::string_view digest) const;
  std::uint64_t announced_bytes() const noexcept;
  /// Evicts until a file of this size fits; false, with nothing evicted, when it can not.
  bool make_room(std::uint64_t byte_size);
  void forget(file_map::iterator victim);

  model_cache_options options_;
  file_map files_;
  std::map<std::string, part> parts_;
  std::uint64_t used_bytes_ = 0;
  std::uint64_t uses_ = 0;
};

}  // namespace dim::models
