#include "runtime/store_check.hpp"

#include <exception>
#include <iostream>

#include "runtime/folder_lock.hpp"
#include "runtime/store_engine.hpp"
#include "runtime/stored_value.hpp"

namespace dim::runtime {

namespace {

constexpr int damaged_status = 3;

expected<void> check_table(engine_transaction& snapshot, const std::string& name) {
  auto table = snapshot.open_table(name, false);
  if (!table)
    return tl::unexpected(std::move(table.error()));
  auto cursor = snapshot.cursor(*table);
  if (!cursor)
    return tl::unexpected(std::move(cursor.error()));
  std::string previous;
  auto entry = cursor->first();
  for (; entry && *entry; entry = cursor->next()) {
    const auto [key, stored] = **entry;
    if (!previous.empty() && key <= previous)
      return fail(error_code::store_corrupt, "the keys of table " + name + " are out of order");
    if (!checked_value(key, stored))
      return fail(error_code::store_corrupt,
                  "a value of table " + name + " does not have its checksum");
    previous = key;
  }
  if (!entry)
    return tl::unexpected(std::move(entry.error()));
  return {};
}

}  // namespace

expected<void> check_in_this_process(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder / "data.mdb"))
    return {};
  auto lock = folder_lock::take(folder);
  if (!lock)
    return tl::unexpected(std::move(lock.error()));
  auto engine = store_engine::open({folder, 0, true, true});
  if (!engine)
    return tl::unexpected(std::move(engine.error()));
  auto snapshot = (*engine)->begin_read();
  if (!snapshot)
    return tl::unexpected(std::move(snapshot.error()));
  auto tables = snapshot->table_names();
  if (!tables)
    return tl::unexpected(std::move(tables.error()));
  for (const auto& table : *tables)
    if (auto whole = check_table(*snapshot, table); !whole)
      return whole;
  return {};
}

int report_store_check(const std::filesystem::path& folder) {
  expected<void> whole;
  try {
    whole = check_in_this_process(folder);
  } catch (const std::exception& problem) {
    // A damaged length asks for more memory than there is.
    whole = fail(error_code::store_corrupt, problem.what());
  }
  if (whole)
    return 0;
  std::cerr << whole.error().message << '\n';
  return whole.error().code == error_code::store_corrupt ? damaged_status : 1;
}

expected<void> verdict_of(const child_end& end) {
  if (end.timed_out)
    return fail(error_code::timeout, "the check of the store did not end in its time");
  if (end.signal != 0)
    return fail(error_code::store_corrupt, "reading the store killed the process that checked it"
                                           " with signal " + std::to_string(end.signal));
  if (end.status == damaged_status)
    return fail(error_code::store_corrupt, end.error_text);
  if (end.status != 0)
    return fail(error_code::unavailable, "the store could not be checked: " + end.error_text);
  return {};
}

expected<void> check_apart(const std::filesystem::path& folder,
                           std::chrono::milliseconds time_max) {
  auto end = run_in_copy([&folder] { return report_store_check(folder); }, time_max);
  if (!end)
    return tl::unexpected(end.error());
  return verdict_of(*end);
}

}  // namespace dim::runtime
