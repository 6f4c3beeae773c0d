#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "config/options.hpp"
#include "runtime/errors.hpp"
#include "runtime/store.hpp"

namespace dim::actors {

/// The database, shared by STORE (the only one that writes), QUERIES and EVENTS.
using database_pointer = std::shared_ptr<runtime::store>;

/// Opens the database in `folder` with all tables of records.hpp, and migrates an older one.
/// `faults`: a simulated disk. Errors: those of `runtime::store::open`.
runtime::expected<database_pointer> open_database(const std::filesystem::path& folder,
                                                  const config::store_options& options,
                                                  runtime::disk_faults faults = {});

/// Counts a start of the orchestrator and gives its number, from 1 up: work of an older generation
/// does not count. Before STORE is started. Errors: those of `runtime::store::write`.
runtime::expected<std::uint64_t> next_generation(runtime::store& database);

}  // namespace dim::actors
