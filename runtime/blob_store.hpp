#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/bytes.hpp"
#include "runtime/disk_faults.hpp"
#include "runtime/errors.hpp"

namespace dim::runtime {

/// A blob as its folder shows it.
struct blob_facts {
  std::string digest;
  std::uint64_t byte_size = 0;
  /// When it was last written or named again, in milliseconds since the Unix epoch.
  std::int64_t written_at = 0;
};

/// Bytes of a blob, and the size of all of it.
struct blob_chunk {
  bytes data;
  std::uint64_t total_size = 0;
};

/// Payloads too large for the database, each a file `<2 hex>/<sha256>` in one folder.
///
/// A blob is whole or not there: it is written under another name, flushed, and renamed, and then
/// its folder is flushed. It does not recompute digests: whoever made the bytes set theirs, whoever
/// reads them checks. One writer; any number of readers, in any thread.
class blob_store {
public:
  /// While one of these lives, no blob is collected.
  using keep_guard = std::shared_ptr<const void>;

  /// Makes the folder when it is not there. `sync`: whether a write waits for the disk. `faults`: a
  /// simulated disk. Errors: internal.
  static expected<blob_store> open(std::filesystem::path folder, bool sync,
                                   disk_faults faults = {});

  /// Writes `data` under its digest, or, where that is there already, notes that it is still
  /// wanted. `now_ms` becomes the blob's age. Errors: bad_input (no digest), store_full, internal.
  expected<void> write(std::string_view digest, std::string_view data, std::int64_t now_ms) const;

  /// Bytes `offset` .. `offset + length`, fewer at the end. Errors: not_found, bad_input (no
  /// digest, or an offset beyond the end), internal.
  expected<blob_chunk> read_chunk(std::string_view digest, std::uint64_t offset,
                                  std::uint64_t length) const;

  bool exists(std::string_view digest) const;

  /// All blobs, by digest. Errors: internal.
  expected<std::vector<blob_facts>> list() const;

  /// Removes a blob; one that is not there is no error. Errors: bad_input, internal.
  expected<void> remove(std::string_view digest) const;

  /// Where the blob is, or would be. `digest` is one.
  std::filesystem::path path_of(std::string_view digest) const;

  /// Keeps every blob until the guard is gone: for a backup.
  keep_guard keep_all() const;

  /// Removes what was written before `written_before` and is not referenced, and writes that broke
  /// off before then. Returns how many blobs went, none while they are kept. Errors: internal.
  expected<std::size_t>
  collect_unreferenced(const std::function<bool(const std::string& digest)>& is_referenced,
                       std::int64_t written_before) const;

private:
  blob_store(std::filesystem::path folder, bool sync, disk_faults faults)
    : folder_(std::move(folder)), sync_(sync), faults_(std::move(faults)) {
  }

  std::filesystem::path folder_;
  bool sync_;
  disk_faults faults_;
  /// Guards that live.
  std::shared_ptr<std::atomic<int>> guards_ = std::make_shared<std::atomic<int>>(0);
};

}  // namespace dim::runtime
