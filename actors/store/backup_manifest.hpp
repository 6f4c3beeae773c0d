#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/errors.hpp"

/// What lies in a backup. A backup is a folder with
///
///     MANIFEST             written last: without it the folder is no backup
///     store/data.mdb       a compact copy of the database, as one moment has it
///     blobs/<2 hex>/<sha256>   every blob that this database names
///     models/...           the model repository
namespace dim::actors {

inline constexpr const char* manifest_name = "MANIFEST";

/// A file of a backup.
struct backup_file {
  /// From the backup's folder, with '/'.
  std::string path;
  /// SHA-256 in lower-case hex.
  std::string digest;
  std::uint64_t byte_size = 0;

  bool operator==(const backup_file&) const = default;
};

struct backup_manifest {
  std::string cluster;
  std::uint32_t schema = 0;
  /// Milliseconds since the Unix epoch.
  std::int64_t made_at = 0;
  std::uint64_t generation = 0;
  std::uint64_t last_event = 0;
  std::uint64_t jobs = 0;
  std::vector<backup_file> files;

  std::uint64_t byte_size() const;
  bool operator==(const backup_manifest&) const = default;
};

/// The manifest as text: a line a field, a line a file, and a last line with the SHA-256 of all
/// lines before it.
std::string to_text(const backup_manifest& manifest);

/// Reads what `to_text` wrote. Errors: corrupt (cut short or changed), unsupported (of a newer
/// program).
runtime::expected<backup_manifest> manifest_from_text(std::string_view text);

}  // namespace dim::actors
