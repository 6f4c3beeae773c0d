#pragma once

#include <cstdint>
#include <filesystem>

#include "actors/store/backup_manifest.hpp"
#include "actors/store/blob_names.hpp"
#include "runtime/errors.hpp"

/// Reads backups: whether they are whole, and how they become a data folder again. No daemon is
/// needed.
namespace dim::actors {

/// What a copied database says of itself.
struct store_content {
  std::uint32_t schema = 0;
  std::uint64_t generation = 0;
  std::uint64_t last_event = 0;
  std::uint64_t jobs = 0;
  blob_sizes blobs;
};

/// Reads the database in `folder`, which nobody writes, and leaves nothing there. Errors: those of
/// the store.
runtime::expected<store_content> read_store_content(const std::filesystem::path& folder);

/// Checks everything: the manifest, size and SHA-256 of every file, the checksum of every value of
/// the database, and that every blob which it names is there. Errors: not_found (no backup),
/// corrupt (each problem in `details`), unsupported (of a newer program).
runtime::expected<backup_manifest> verify_backup(const std::filesystem::path& backup);

/// Checks the backup and copies it into `data_dir`, which must be empty or not there: a daemon that
/// is then started on it goes on from the moment of the backup. Errors: those of `verify_backup`,
/// conflict (the folder is not empty), store_full, internal.
runtime::expected<backup_manifest> restore_backup(const std::filesystem::path& backup,
                                                  const std::filesystem::path& data_dir);

}  // namespace dim::actors
