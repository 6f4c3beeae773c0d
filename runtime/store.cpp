#include "runtime/store.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <map>

#include "runtime/folder_lock.hpp"
#include "runtime/store_engine.hpp"
#include "runtime/stored_value.hpp"

namespace dim::runtime {

struct store_state {
  folder_lock lock;
  std::unique_ptr<store_engine> engine;
  std::map<std::string, table_id, std::less<>> tables;
  /// The last part of the map, for writes that free space.
  std::uint64_t reserve_bytes = 0;
  disk_faults faults;
  std::atomic<bool> corrupt{false};
  std::atomic<bool> full{false};
  std::atomic<std::uint64_t> commits{0};

  /// Passes a result on, and remembers what it says of the store's health.
  template <class T>
  expected<T> noted(expected<T> result) {
    if (!result && result.error().code == error_code::store_corrupt)
      corrupt = true;
    return result;
  }

  expected<table_id> find_table(std::string_view table) const {
    const auto found = tables.find(table);
    if (found == tables.end())
      return fail(error_code::internal, "the store has no table " + std::string(table));
    return found->second;
  }

  tl::unexpected<failure> fail_sum(std::string_view table) {
    corrupt = true;
    return fail(error_code::store_corrupt,
                "a value of table " + std::string(table) + " does not have its checksum");
  }
};

namespace {

constexpr std::size_t key_bytes_max = 511;
constexpr const char* meta_table = "meta";
constexpr std::string_view version_key = "schema_version";
constexpr std::uint64_t reserve_bytes_min = 256 << 10;
constexpr std::uint64_t reserve_bytes_max = 256 << 20;

/// The first key after all keys that begin with `prefix`; empty when there is none.
std::string end_of_prefix(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff')
    prefix.pop_back();
  if (!prefix.empty())
    prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

using found_entry = expected<std::optional<engine_cursor::entry>>;

found_entry begin_backward(engine_cursor& cursor, const key_range& keys) {
  const std::string end = end_of_prefix(keys.prefix);
  const bool from_start = !keys.start.empty() && (end.empty() || keys.start < end);
  const std::string& bound = from_start ? keys.start : end;
  if (bound.empty())
    return cursor.last();
  auto found = cursor.seek(bound);
  if (found && !*found)
    return cursor.last();
  const bool is_start = found && from_start && (*found)->first == bound;
  return found && !is_start ? cursor.previous() : found;
}

found_entry begin_forward(engine_cursor& cursor, const key_range& keys) {
  const std::string& bound = std::max(keys.start, keys.prefix);
  return bound.empty() ? cursor.first() : cursor.seek(bound);
}

std::optional<std::uint32_t> number_in(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return number;
}

}  // namespace

transaction::transaction(store_state& state, engine_transaction underlying)
  : state_(&state), underlying_(std::make_unique<engine_transaction>(std::move(underlying))) {
}

transaction::transaction(transaction&&) noexcept = default;
transaction::~transaction() = default;

expected<std::optional<std::string_view>> transaction::get(std::string_view table,
                                                           std::string_view key) const {
  auto id = state_->find_table(table);
  if (!id)
    return tl::unexpected(std::move(id.error()));
  auto stored = state_->noted(underlying_->get(*id, key));
  if (!stored || !*stored)
    return stored;
  const auto value = checked_value(key, **stored);
  if (!value)
    return state_->fail_sum(table);
  return value;
}

expected<void> transaction::range(std::string_view table, const key_range& keys,
                                  const entry_visitor& visit) const {
  auto id = state_->find_table(table);
  if (!id)
    return tl::unexpected(std::move(id.error()));
  auto cursor = state_->noted(underlying_->cursor(*id));
  if (!cursor)
    return tl::unexpected(std::move(cursor.error()));
  auto found = keys.backward ? begin_backward(*cursor, keys) : begin_forward(*cursor, keys);
  while (found && *found && (*found)->first.starts_with(keys.prefix)) {
    const auto [key, stored] = **found;
    const auto value = checked_value(key, stored);
    if (!value)
      return state_->fail_sum(table);
    if (!visit(key, *value))
      return {};
    found = keys.backward ? cursor->previous() : cursor->next();
  }
  if (auto last = state_->noted(std::move(found)); !last)
    return tl::unexpected(std::move(last.error()));
  return {};
}

expected<std::uint64_t> transaction::count(std::string_view table) const {
  auto id = state_->find_table(table);
  if (!id)
    return tl::unexpected(std::move(id.error()));
  return state_->noted(underlying_->count(*id));
}

expected<void> write_transaction::put(std::string_view table, std::string_view key,
                                      std::string_view value) {
  auto id = state_->find_table(table);
  if (!id)
    return tl::unexpected(std::move(id.error()));
  if (key.empty() || key.size() > key_bytes_max)
    return fail(error_code::bad_input, "a key of the store must have 1 to 511 bytes");
  const auto sum = sum_of(key, value);
  auto place = state_->noted(underlying_->reserve(*id, key, sum.size() + value.size()));
  if (!place)
    return tl::unexpected(std::move(place.error()));
  std::copy(value.begin(), value.end(), std::copy(sum.begin(), sum.end(), *place));
  return {};
}

expected<bool> write_transaction::put_absent(std::string_view table, std::string_view key,
                                             std::string_view value) {
  return compare_and_put(table, key, std::nullopt, value);
}

expected<bool> write_transaction::compare_and_put(std::string_view table, std::string_view key,
                                                  std::optional<std::string_view> present,
                                                  std::string_view value) {
  auto found = get(table, key);
  if (!found)
    return tl::unexpected(std::move(found.error()));
  if (*found != present)
    return false;
  if (auto done = put(table, key, value); !done)
    return tl::unexpected(std::move(done.error()));
  return true;
}

expected<bool> write_transaction::erase(std::string_view table, std::string_view key) {
  auto id = state_->find_table(table);
  if (!id)
    return tl::unexpected(std::move(id.error()));
  return state_->noted(underlying_->erase(*id, key));
}

store::store(std::unique_ptr<store_state> state) : state_(std::move(state)) {
}

store::~store() = default;

expected<std::unique_ptr<store>> store::open(const store_settings& settings) {
  auto state = std::make_unique<store_state>();
  auto lock = folder_lock::take(settings.folder);
  if (!lock)
    return tl::unexpected(std::move(lock.error()));
  state->lock = std::move(*lock);
  state->reserve_bytes
    = std::clamp(settings.map_bytes / 64, reserve_bytes_min, reserve_bytes_max);
  auto engine = store_engine::open(
    {settings.folder, settings.map_bytes + state->reserve_bytes, settings.sync, false});
  if (!engine)
    return tl::unexpected(std::move(engine.error()));
  state->engine = std::move(*engine);
  state->faults = settings.faults;
  std::unique_ptr<store> opened{new store{std::move(state)}};
  if (auto done = opened->open_tables(settings.tables); !done)
    return tl::unexpected(std::move(done.error()));
  if (auto done = opened->upgrade(settings); !done)
    return tl::unexpected(std::move(done.error()));
  return opened;
}

expected<std::unique_ptr<store>> store::open_read_only(const std::filesystem::path& folder) {
  auto state = std::make_unique<store_state>();
  auto lock = folder_lock::take(folder);
  if (!lock)
    return tl::unexpected(std::move(lock.error()));
  state->lock = std::move(*lock);
  auto engine = store_engine::open({folder, 0, true, true});
  if (!engine)
    return tl::unexpected(std::move(engine.error()));
  state->engine = std::move(*engine);
  auto opening = state->engine->begin_read();
  if (!opening)
    return tl::unexpected(std::move(opening.error()));
  auto names = opening->table_names();
  if (!names)
    return tl::unexpected(std::move(names.error()));
  for (const auto& name : *names) {
    auto id = opening->open_table(name, false);
    if (!id)
      return tl::unexpected(std::move(id.error()));
    state->tables.emplace(name, *id);
  }
  if (auto done = opening->commit(); !done)
    return tl::unexpected(std::move(done.error()));
  return std::unique_ptr<store>{new store{std::move(state)}};
}

expected<void> store::open_tables(const std::vector<std::string>& names) {
  auto opening = state_->engine->begin_write();
  if (!opening)
    return tl::unexpected(std::move(opening.error()));
  std::vector<std::string> all{meta_table};
  all.insert(all.end(), names.begin(), names.end());
  for (const auto& name : all) {
    auto id = opening->open_table(name, true);
    if (!id)
      return tl::unexpected(std::move(id.error()));
    state_->tables.emplace(name, *id);
  }
  return opening->commit();
}

expected<void> store::upgrade(const store_settings& settings) {
  return write([&](write_transaction& changes) -> expected<void> {
    auto stored = changes.get(meta_table, version_key);
    if (!stored)
      return tl::unexpected(std::move(stored.error()));
    const std::uint32_t wanted = settings.schema_version;
    auto version = *stored ? number_in(**stored) : wanted;
    if (!version)
      return fail(error_code::store_corrupt, "the schema version of the store is no number");
    const std::string found = "the store in " + settings.folder.string() + " has schema version "
                              + std::to_string(*version) + ", this program knows "
                              + std::to_string(wanted);
    if (*version > wanted)
      return fail(error_code::unsupported, found + ": a newer program has written it");
    for (; *version < wanted; ++*version) {
      const auto step = std::find_if(
        settings.migrations.begin(), settings.migrations.end(),
        [&](const store_migration& migration) { return migration.from_version == *version; });
      if (step == settings.migrations.end())
        return fail(error_code::unsupported, found + ": and no way to bring it there");
      if (auto done = step->upgrade(changes); !done)
        return done;
    }
    return changes.put(meta_table, version_key, std::to_string(wanted));
  });
}

expected<void> store::write(const std::function<expected<void>(write_transaction&)>& work,
                            write_purpose purpose) {
  if (state_->corrupt)
    return fail(error_code::store_corrupt, "the store is damaged and only reads");
  const auto space = state_->engine->space();
  const std::uint64_t reserve = state_->reserve_bytes;
  if (purpose == write_purpose::ordinary && space.reached_bytes + reserve > space.map_bytes
      && state_->engine->free_bytes() + space.map_bytes < space.reached_bytes + reserve) {
    state_->full = true;
    return fail(error_code::store_full, "the map of the store is full");
  }
  auto opened = state_->noted(state_->engine->begin_write());
  if (!opened)
    return tl::unexpected(std::move(opened.error()));
  write_transaction changes{*state_, std::move(*opened)};
  auto done = work(changes);
  const auto kind = purpose == write_purpose::reclaim ? disk_write::reclaim : disk_write::commit;
  if (done)
    done = state_->faults.ask(kind);
  if (done)
    done = state_->noted(changes.underlying_->commit());
  if (done || done.error().code == error_code::store_full)
    state_->full = !done;
  if (done) {
    ++state_->commits;
    state_->faults.tell(kind);
  }
  return done;
}

expected<read_transaction> store::read() const {
  auto opened = state_->noted(state_->engine->begin_read());
  if (!opened)
    return tl::unexpected(std::move(opened.error()));
  return read_transaction{*state_, std::move(*opened)};
}

expected<void> store::copy_to(const std::filesystem::path& folder) const {
  return state_->engine->copy_to(folder);
}

error_code store::health() const noexcept {
  if (state_->corrupt)
    return error_code::store_corrupt;
  return state_->full ? error_code::store_full : error_code::none;
}

std::uint32_t store::schema_version() const {
  auto snapshot = read();
  if (!snapshot)
    return 0;
  const auto stored = snapshot->get(meta_table, version_key);
  return stored && *stored ? number_in(**stored).value_or(0) : 0;
}

std::uint64_t store::commits() const noexcept {
  return state_->commits;
}

}  // namespace dim::runtime
