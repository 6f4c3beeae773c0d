#include "runtime/store_engine.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lmdb.h>

namespace dim::runtime {

namespace {

constexpr unsigned tables_max = 64;
constexpr unsigned readers_max = 512;
/// LMDB's own table of the pages that may be written again: by transaction, a count and as many
/// page numbers.
constexpr table_id free_pages_table = 0;

/// A disk that has no room for this is full.
constexpr std::size_t room_bytes_min = 1 << 20;

MDB_val value_of(std::string_view text) {
  return {text.size(), const_cast<char*>(text.data())};
}

std::string_view view_of(const MDB_val& value) {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

error_code code_of(int status) {
  switch (status) {
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return error_code::store_full;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_PANIC:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case EIO:
      return error_code::store_corrupt;
    case MDB_BAD_VALSIZE:
      return error_code::bad_input;
    case MDB_READERS_FULL:
      return error_code::overloaded;
    default:
      return error_code::internal;
  }
}

tl::unexpected<failure> fail_with(int status, std::string_view action) {
  return fail(code_of(status),
              "the store can not " + std::string(action) + ": " + mdb_strerror(status));
}

/// Writes into `file` from `begin` on what a disk with room takes: its errno, or 0.
int try_room(int file, off_t begin) {
  const std::vector<char> bytes(room_bytes_min, '\1');
  for (std::size_t written = 0; written < bytes.size();) {
    const auto count = ::pwrite(file, bytes.data() + written, bytes.size() - written,
                                begin + static_cast<off_t>(written));
    if (count == 0)
      return ENOSPC;
    if (count < 0 && errno != EINTR)
      return errno;
    written += count > 0 ? static_cast<std::size_t>(count) : 0;
  }
  return 0;
}

/// Whether there is no room to let the database grow: a file beside it, which is as long, tells.
bool is_disk_full(MDB_env* environment) {
  const char* folder = nullptr;
  mdb_env_get_path(environment, &folder);
  struct stat database {};
  if (::stat((std::filesystem::path{folder} / "data.mdb").c_str(), &database) != 0)
    return false;
  const auto beside = std::filesystem::path{folder} / "room";
  const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const int status = file < 0 ? errno : try_room(file, database.st_size);
  if (file >= 0)
    ::close(file);
  ::unlink(beside.c_str());
  return code_of(status) == error_code::store_full;
}

/// As `fail_with`, for what writes. LMDB says EIO not only of a disk that fails, but also of a
/// write of which the disk took a part, as one does that is getting full. In both cases it undoes
/// the transaction.
tl::unexpected<failure> fail_write(MDB_env* environment, int status, std::string_view action) {
  return fail_with(status == EIO && is_disk_full(environment) ? ENOSPC : status, action);
}

}  // namespace

engine_cursor::~engine_cursor() {
  if (handle_ != nullptr)
    mdb_cursor_close(handle_);
}

expected<std::optional<engine_cursor::entry>> engine_cursor::move(int operation,
                                                                  std::string_view key) {
  MDB_val found = value_of(key);
  MDB_val value{0, nullptr};
  const int status
    = mdb_cursor_get(handle_, &found, &value, static_cast<MDB_cursor_op>(operation));
  if (status == MDB_NOTFOUND)
    return std::nullopt;
  if (status != 0)
    return fail_with(status, "read a table");
  return entry{view_of(found), view_of(value)};
}

expected<std::optional<engine_cursor::entry>> engine_cursor::first() {
  return move(MDB_FIRST, {});
}

expected<std::optional<engine_cursor::entry>> engine_cursor::last() {
  return move(MDB_LAST, {});
}

expected<std::optional<engine_cursor::entry>> engine_cursor::next() {
  return move(MDB_NEXT, {});
}

expected<std::optional<engine_cursor::entry>> engine_cursor::previous() {
  return move(MDB_PREV, {});
}

expected<std::optional<engine_cursor::entry>> engine_cursor::seek(std::string_view key) {
  return move(MDB_SET_RANGE, key);
}

engine_transaction::~engine_transaction() {
  if (handle_ != nullptr)
    mdb_txn_abort(handle_);
}

expected<void> engine_transaction::commit() {
  MDB_env* const environment = mdb_txn_env(handle_);
  if (const int status = mdb_txn_commit(std::exchange(handle_, nullptr)); status != 0)
    return fail_write(environment, status, "commit");
  return {};
}

expected<table_id> engine_transaction::open_table(const std::string& name, bool create) {
  MDB_dbi table = 0;
  const int status = mdb_dbi_open(handle_, name.c_str(), create ? MDB_CREATE : 0, &table);
  if (status != 0)
    return fail_with(status, "open table " + name);
  return table;
}

expected<std::vector<std::string>> engine_transaction::table_names() {
  MDB_dbi names = 0;
  if (const int status = mdb_dbi_open(handle_, nullptr, 0, &names); status != 0)
    return fail_with(status, "list its tables");
  auto place = cursor(names);
  if (!place)
    return tl::unexpected(std::move(place.error()));
  std::vector<std::string> result;
  auto entry = place->first();
  for (; entry && *entry; entry = place->next())
    result.emplace_back((*entry)->first);
  if (!entry)
    return tl::unexpected(std::move(entry.error()));
  return result;
}

expected<std::optional<std::string_view>> engine_transaction::get(table_id table,
                                                                  std::string_view key) const {
  MDB_val sought = value_of(key);
  MDB_val found{0, nullptr};
  const int status = mdb_get(handle_, table, &sought, &found);
  if (status == MDB_NOTFOUND)
    return std::nullopt;
  if (status != 0)
    return fail_with(status, "read a value");
  return view_of(found);
}

expected<char*> engine_transaction::reserve(table_id table, std::string_view key,
                                            std::size_t size) {
  MDB_val where = value_of(key);
  MDB_val place{size, nullptr};
  if (const int status = mdb_put(handle_, table, &where, &place, MDB_RESERVE); status != 0)
    return fail_write(mdb_txn_env(handle_), status, "write a value");
  return static_cast<char*>(place.mv_data);
}

expected<bool> engine_transaction::erase(table_id table, std::string_view key) {
  MDB_val where = value_of(key);
  const int status = mdb_del(handle_, table, &where, nullptr);
  if (status == MDB_NOTFOUND)
    return false;
  if (status != 0)
    return fail_write(mdb_txn_env(handle_), status, "erase a value");
  return true;
}

expected<std::uint64_t> engine_transaction::count(table_id table) const {
  MDB_stat statistics;
  if (const int status = mdb_stat(handle_, table, &statistics); status != 0)
    return fail_with(status, "count a table");
  return statistics.ms_entries;
}

expected<engine_cursor> engine_transaction::cursor(table_id table) const {
  MDB_cursor* handle = nullptr;
  if (const int status = mdb_cursor_open(handle_, table, &handle); status != 0)
    return fail_with(status, "read a table");
  return engine_cursor{handle};
}

expected<std::unique_ptr<store_engine>> store_engine::open(const settings& chosen) {
  MDB_env* environment = nullptr;
  if (const int status = mdb_env_create(&environment); status != 0)
    return fail_with(status, "be opened");
  std::unique_ptr<store_engine> engine{new store_engine{environment}};
  // Without thread-local reader slots, several snapshots may belong to one thread.
  const unsigned flags = MDB_NOTLS | (chosen.sync ? 0u : unsigned{MDB_NOSYNC})
                         | (chosen.read_only ? unsigned{MDB_RDONLY} : 0u);
  int status = mdb_env_set_maxdbs(environment, tables_max);
  if (status == 0)
    status = mdb_env_set_maxreaders(environment, readers_max);
  if (status == 0 && chosen.map_bytes > 0)
    status = mdb_env_set_mapsize(environment, chosen.map_bytes);
  if (status == 0)
    status = mdb_env_open(environment, chosen.folder.c_str(), flags, 0644);
  if (status != 0)
    return fail_with(status, "be opened in " + chosen.folder.string());
  return engine;
}

store_engine::~store_engine() {
  mdb_env_close(environment_);
}

expected<engine_transaction> store_engine::begin_read() const {
  MDB_txn* handle = nullptr;
  if (const int status = mdb_txn_begin(environment_, nullptr, MDB_RDONLY, &handle); status != 0)
    return fail_with(status, "begin to read");
  return engine_transaction{handle};
}

expected<engine_transaction> store_engine::begin_write() const {
  MDB_txn* handle = nullptr;
  if (const int status = mdb_txn_begin(environment_, nullptr, 0, &handle); status != 0)
    return fail_with(status, "begin to write");
  return engine_transaction{handle};
}

expected<void> store_engine::copy_to(const std::filesystem::path& folder) const {
  if (const int status = mdb_env_copy2(environment_, folder.c_str(), MDB_CP_COMPACT); status != 0)
    return fail_with(status, "be copied to " + folder.string());
  return {};
}

engine_space store_engine::space() const {
  MDB_stat statistics{};
  MDB_envinfo info{};
  mdb_env_stat(environment_, &statistics);
  mdb_env_info(environment_, &info);
  return {info.me_mapsize, (info.me_last_pgno + 1) * std::uint64_t{statistics.ms_psize}};
}

std::uint64_t store_engine::free_bytes() const {
  auto snapshot = begin_read();
  if (!snapshot)
    return 0;
  auto place = snapshot->cursor(free_pages_table);
  if (!place)
    return 0;
  std::uint64_t pages = 0;
  for (auto entry = place->first(); entry && *entry; entry = place->next()) {
    const std::string_view list = (*entry)->second;
    std::size_t length = 0;
    std::memcpy(&length, list.data(), std::min(sizeof length, list.size()));
    pages += length;
  }
  MDB_stat statistics{};
  mdb_env_stat(environment_, &statistics);
  return pages * statistics.ms_psize;
}

}  // namespace dim::runtime
