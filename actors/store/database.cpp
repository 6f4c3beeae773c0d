#include "actors/store/database.hpp"

#include "actors/store/records.hpp"

namespace dim::actors {

runtime::expected<database_pointer> open_database(const std::filesystem::path& folder,
                                                  const config::store_options& options,
                                                  runtime::disk_faults faults) {
  runtime::store_settings settings;
  settings.folder = folder;
  settings.map_bytes = options.map_bytes;
  settings.sync = options.sync;
  settings.tables = tables::all();
  settings.schema_version = schema_version;
  settings.faults = std::move(faults);
  auto opened = runtime::store::open(settings);
  if (!opened)
    return tl::unexpected(std::move(opened.error()));
  return database_pointer{std::move(*opened)};
}

runtime::expected<std::uint64_t> next_generation(runtime::store& database) {
  std::uint64_t generation = 0;
  auto done = database.write([&](runtime::write_transaction& changes) -> runtime::expected<void> {
    auto stored = changes.get(tables::meta, generation_key);
    if (!stored)
      return tl::unexpected(std::move(stored.error()));
    generation = number_in_key(stored->value_or("")) + 1;
    return changes.put(tables::meta, generation_key, number_key(generation));
  });
  if (!done)
    return tl::unexpected(std::move(done.error()));
  return generation;
}

}  // namespace dim::actors
