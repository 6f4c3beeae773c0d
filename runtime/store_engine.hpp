#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/errors.hpp"

struct MDB_env;
struct MDB_txn;
struct MDB_cursor;

/// The thin layer over LMDB, for runtime/store.cpp alone: raw tables, transactions and cursors,
/// with LMDB's status codes turned into failures. It knows no checksums, schemas or policies.
/// Another engine would replace this file and its source.
///
/// Errors of all calls: store_full (disk or map), store_corrupt (the file is damaged, or can not be
/// read or written), overloaded (too many readers), bad_input (size of a key), internal.
namespace dim::runtime {

using table_id = unsigned;

/// Moves over the entries of one table; lives no longer than its transaction.
class engine_cursor {
public:
  using entry = std::pair<std::string_view, std::string_view>;

  explicit engine_cursor(MDB_cursor* handle) noexcept : handle_(handle) {
  }
  engine_cursor(engine_cursor&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {
  }
  ~engine_cursor();

  /// Each moves, and gives the entry there, or nothing beyond the end.
  expected<std::optional<entry>> first();
  expected<std::optional<entry>> last();
  expected<std::optional<entry>> next();
  expected<std::optional<entry>> previous();
  /// The first entry whose key is not below `key`.
  expected<std::optional<entry>> seek(std::string_view key);

private:
  expected<std::optional<entry>> move(int operation, std::string_view key);

  MDB_cursor* handle_;
};

/// A transaction; it is undone when it goes out of scope without `commit`.
class engine_transaction {
public:
  explicit engine_transaction(MDB_txn* handle) noexcept : handle_(handle) {
  }
  engine_transaction(engine_transaction&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)) {
  }
  ~engine_transaction();

  expected<void> commit();
  expected<table_id> open_table(const std::string& name, bool create);
  expected<std::vector<std::string>> table_names();

  expected<std::optional<std::string_view>> get(table_id table, std::string_view key) const;
  /// Makes an entry of `size` bytes and gives the place to write them to, at once.
  expected<char*> reserve(table_id table, std::string_view key, std::size_t size);
  /// False when the key is not there.
  expected<bool> erase(table_id table, std::string_view key);
  expected<std::uint64_t> count(table_id table) const;
  expected<engine_cursor> cursor(table_id table) const;

private:
  MDB_txn* handle_;
};

/// How much of its map the database uses.
struct engine_space {
  std::uint64_t map_bytes = 0;
  /// Up to the highest page that was ever written.
  std::uint64_t reached_bytes = 0;
};

class store_engine {
public:
  struct settings {
    std::filesystem::path folder;
    /// 0: as the file has it.
    std::uint64_t map_bytes = 0;
    bool sync = true;
    bool read_only = false;
  };

  static expected<std::unique_ptr<store_engine>> open(const settings& chosen);
  ~store_engine();

  expected<engine_transaction> begin_read() const;
  /// Waits for the writer before.
  expected<engine_transaction> begin_write() const;
  expected<void> copy_to(const std::filesystem::path& folder) const;

  engine_space space() const;
  /// Bytes in pages that may be written again; visits the list of them.
  std::uint64_t free_bytes() const;

private:
  explicit store_engine(MDB_env* environment) noexcept : environment_(environment) {
  }

  MDB_env* environment_;
};

}  // namespace dim::runtime
