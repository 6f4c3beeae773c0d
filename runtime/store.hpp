#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/disk_faults.hpp"
#include "runtime/errors.hpp"

/// The database behind a small transactional interface: named tables of keys and values in one
/// folder. The engine underneath (LMDB) is known to store_engine.cpp alone.
///
/// Every value carries a CRC-32C over its key and itself. A value that does not have its checksum
/// is `store_corrupt`, and from then on the store only reads. When the disk or the map is full, a
/// write is refused with `store_full`, changes nothing, and may be tried again.
///
/// Keys have 1 to 511 bytes and are ordered byte by byte. One process has a store open at a time.
namespace dim::runtime {

struct store_state;
class engine_transaction;
class store;

/// Which keys `range` visits.
struct key_range {
  /// Only keys that begin so; empty for all.
  std::string prefix = {};
  /// The first key to visit, or, where it is not there, the next one in the direction of the visit;
  /// empty to begin at the end of the range.
  std::string start = {};
  /// From the highest key to the lowest.
  bool backward = false;
};

/// Sees one entry; false ends the visit. The views die with the call.
using entry_visitor = std::function<bool(std::string_view key, std::string_view value)>;

/// What reading and writing transactions have in common. Errors of all calls: store_corrupt,
/// internal (no such table).
class transaction {
public:
  /// The value of `key`, if there is one. The view lives until the transaction writes or ends.
  expected<std::optional<std::string_view>> get(std::string_view table, std::string_view key) const;

  /// Visits entries in the order of their keys.
  expected<void> range(std::string_view table, const key_range& keys,
                       const entry_visitor& visit) const;

  /// The number of entries, without visiting them.
  expected<std::uint64_t> count(std::string_view table) const;

  transaction(transaction&&) noexcept;
  ~transaction();

protected:
  friend class store;
  transaction(store_state& state, engine_transaction underlying);

  store_state* state_;
  std::unique_ptr<engine_transaction> underlying_;
};

/// A snapshot: it sees what was committed when it began. Any thread may hold one, several at a
/// time, each for a short while, because pages that a snapshot may see are not used again.
class read_transaction : public transaction {
  friend class store;
  using transaction::transaction;
};

/// A write on its way. All of it becomes true at once, or nothing.
class write_transaction : public transaction {
public:
  /// Writes `value`, over an older one. Errors: bad_input (size of the key), store_full.
  expected<void> put(std::string_view table, std::string_view key, std::string_view value);

  /// Writes only when the key is not there; false when it is. Errors as `put`.
  expected<bool> put_absent(std::string_view table, std::string_view key, std::string_view value);

  /// Writes only when the present value is `present` (nothing: the key is not there); false when it
  /// is another. Errors as `put`.
  expected<bool> compare_and_put(std::string_view table, std::string_view key,
                                 std::optional<std::string_view> present, std::string_view value);

  /// Removes the key; false when it was not there. Errors: store_full.
  expected<bool> erase(std::string_view table, std::string_view key);

private:
  friend class store;
  using transaction::transaction;
};

/// Changes a store of an older schema into the next one, inside the transaction that opens it.
struct store_migration {
  std::uint32_t from_version = 0;
  std::function<expected<void>(write_transaction&)> upgrade;
};

struct store_settings {
  /// Made when it is not there.
  std::filesystem::path folder;
  /// Largest size of the database in bytes. A part beyond it is kept for writes that free space.
  std::uint64_t map_bytes = 64ull << 30;
  /// Whether a commit waits until it is on the disk. Without it, a power failure (not the death of
  /// the process) may lose commits.
  bool sync = true;
  /// Every table, besides "meta", which is always there.
  std::vector<std::string> tables;
  /// The schema that this program writes; an older store is migrated, a newer one refused.
  std::uint32_t schema_version = 1;
  /// One for each older version, in any order.
  std::vector<store_migration> migrations;
  /// A simulated disk; asked by every write, the one that opens the store included.
  disk_faults faults;
};

/// What a write is for: `reclaim` may use the part of the map that is kept for freeing space.
enum class write_purpose : std::uint8_t { ordinary, reclaim };

/// An open database. Thread-safe; writes of several threads go one after the other.
class store {
public:
  /// Opens the store, makes missing tables and runs migrations. Errors: unavailable (another
  /// process has it open), unsupported (written by a newer program, or no migration leads here),
  /// store_corrupt, store_full, internal (the folder can not be used).
  static expected<std::unique_ptr<store>> open(const store_settings& settings);

  /// Opens a store that nobody writes, such as a copy: it can only be read, whatever its schema.
  /// Leaves two lock files in the folder. Errors: unavailable, store_corrupt, internal.
  static expected<std::unique_ptr<store>> open_read_only(const std::filesystem::path& folder);

  ~store();

  /// Runs `work` in a transaction and commits it; with the failure of `work` nothing is written.
  /// Errors: those of `work`, store_full, store_corrupt.
  expected<void> write(const std::function<expected<void>(write_transaction&)>& work,
                       write_purpose purpose = write_purpose::ordinary);

  /// Begins a snapshot. Errors: overloaded (too many snapshots), store_corrupt.
  expected<read_transaction> read() const;

  /// Writes a compact copy of the present state into `folder`, which must be an empty folder, while
  /// others read and write. Errors: store_full, internal.
  expected<void> copy_to(const std::filesystem::path& folder) const;

  /// `none` while writes are possible; `store_full` after the last write found no space;
  /// `store_corrupt` for ever after a damaged value was seen.
  error_code health() const noexcept;

  /// The schema that the store has now; 0 when it tells none.
  std::uint32_t schema_version() const;

  /// Transactions that `write` has committed since `open`.
  std::uint64_t commits() const noexcept;

private:
  explicit store(std::unique_ptr<store_state> state);
  expected<void> open_tables(const std::vector<std::string>& names);
  expected<void> upgrade(const store_settings& settings);

  std::unique_ptr<store_state> state_;
};

}  // namespace dim::runtime
