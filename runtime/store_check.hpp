#pragma once

#include <chrono>
#include <filesystem>

#include "runtime/child_run.hpp"
#include "runtime/errors.hpp"

/// The check of a store before it is opened. A damaged file may kill the process that reads it, so
/// a copy of the process does it.
namespace dim::runtime {

/// Reads every value of the store in `folder` and checks its sum, and the order of all keys. A
/// folder without a store is whole. Errors: store_corrupt, unavailable (the store is open),
/// internal.
expected<void> check_in_this_process(const std::filesystem::path& folder);

/// The whole work of the copy: checks, says on standard error what is wrong, and returns its exit
/// status: 0 whole, 3 damaged, 1 could not be checked.
int report_store_check(const std::filesystem::path& folder);

/// What the end of the process that checked says about the store. Errors: as of `check_apart`.
expected<void> verdict_of(const child_end& end);

/// Checks the store in `folder` in a copy of this process, for at most `time_max` (0: no limit).
/// Errors: store_corrupt (damaged, or reading it killed the copy), timeout, unavailable (it could
/// not be checked), internal (this process can not be copied).
expected<void> check_apart(const std::filesystem::path& folder, std::chrono::milliseconds time_max);

}  // namespace dim::runtime
