#pragma once

#include <filesystem>

#include "runtime/child_run.hpp"
#include "runtime/errors.hpp"

/// The check of a store before it is opened. A damaged file may kill the process that reads it, so
/// a program starts itself once more, with a flag that leads to `report_store_check`, and waits for
/// that child with `check_in_child`.
namespace dim::runtime {

/// Reads every value of the store in `folder` and checks its sum, and the order of all keys. A
/// folder without a store is whole. Errors: store_corrupt, unavailable (the store is open),
/// internal.
expected<void> check_in_this_process(const std::filesystem::path& folder);

/// The whole work of the child: checks, says on standard error what is wrong, and returns its exit
/// status: 0 whole, 3 damaged, 1 could not be checked.
int report_store_check(const std::filesystem::path& folder);

/// Runs a program that ends in `report_store_check`. Errors: store_corrupt (damaged, or the child
/// was killed by a signal), timeout, unavailable (the child could not check), internal (it could
/// not be started).
expected<void> check_in_child(const child_run& run);

}  // namespace dim::runtime
