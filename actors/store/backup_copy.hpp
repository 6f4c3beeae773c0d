#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>

#include "actors/store/backup_manifest.hpp"
#include "runtime/blob_store.hpp"
#include "runtime/errors.hpp"
#include "runtime/store.hpp"

/// Makes a backup of what the orchestrator has on disk, while others read and write.
namespace dim::actors {

struct backup_source {
  std::string cluster;
  const runtime::store& database;
  const runtime::blob_store& blobs;
  std::filesystem::path models_folder;
};

/// Shared between the thread that copies and those that ask how far it is.
struct backup_progress {
  std::atomic<std::uint64_t> files{0};
  std::atomic<std::uint64_t> bytes{0};
  /// Ends the copy after the present file.
  std::atomic<bool> is_cancelled{false};
};

/// Copies the database, then the blobs that this copy names (as hard links where the file system
/// can), then the models, and at last writes the manifest. No blob is collected meanwhile. Blocks
/// for as long as that takes. On failure nothing of the backup is left.
///
/// `folder` is absolute, and empty or not there. Errors: bad_input (the folder), store_full,
/// corrupt (a blob that the database names is missing or has another size), cancelled, internal,
/// and those of the store.
runtime::expected<backup_manifest> make_backup(const backup_source& source,
                                               const std::filesystem::path& folder,
                                               std::int64_t now_ms, backup_progress& progress);

}  // namespace dim::actors
