#include "actors/store/retention.hpp"

#include <array>

#include "actors/store/blob_names.hpp"
#include "actors/store/records.hpp"
#include "runtime/record_codec.hpp"

namespace dim::actors {

namespace {

using runtime::expected;

constexpr std::size_t jobs_in_slice = 100;
constexpr std::size_t rows_in_slice = 1000;

expected<std::vector<std::string>> keys_below(const runtime::transaction& snapshot,
                                              const char* table, const std::string& prefix) {
  std::vector<std::string> keys;
  auto done = snapshot.range(table, {prefix}, [&](std::string_view key, std::string_view) {
    keys.emplace_back(key);
    return true;
  });
  if (!done)
    return tl::unexpected(std::move(done.error()));
  return keys;
}

expected<void> erase_all(runtime::write_transaction& changes, const char* table,
                         const std::vector<std::string>& keys) {
  for (const auto& key : keys)
    if (auto done = changes.erase(table, key); !done)
      return tl::unexpected(std::move(done.error()));
  return {};
}

/// Erases what `table` has below the job, and, for its events, the events themselves.
expected<void> erase_below(runtime::write_transaction& changes, const char* table,
                           const std::string& job_id) {
  auto keys = keys_below(changes, table, pair_key(job_id, {}));
  if (!keys)
    return tl::unexpected(std::move(keys.error()));
  if (std::string_view{table} == tables::events_by_job)
    for (const auto& key : *keys)
      if (auto done = changes.erase(tables::events, number_key(number_in_key(key))); !done)
        return tl::unexpected(std::move(done.error()));
  return erase_all(changes, table, *keys);
}

}  // namespace

expected<void> remove_job(runtime::write_transaction& changes, const std::string& job_id) {
  auto stored = changes.get(tables::jobs, job_id);
  if (!stored)
    return tl::unexpected(std::move(stored.error()));
  if (!*stored)
    return {};
  const auto record = runtime::decode_record<job_record>(**stored);
  if (!record)
    return tl::unexpected(record.error());
  for (const char* table : {tables::executions, tables::steps, tables::events_by_job})
    if (auto done = erase_below(changes, table, job_id); !done)
      return done;
  const std::array<std::pair<std::string, std::string>, 6> rows{{
    {tables::jobs, job_id},
    {tables::inputs, job_id},
    {tables::results, job_id},
    {state_table(record->state), job_id},
    {tables::jobs_by_pattern, pair_key(to_string(record->spec.kind), job_id)},
    {tables::jobs_by_submitter, submitter_prefix(record->spec.submitted_by) + job_id},
  }};
  for (const auto& [table, key] : rows)
    if (auto done = changes.erase(table, key); !done)
      return tl::unexpected(std::move(done.error()));
  if (record->array_id.empty())
    return {};
  auto erased = changes.erase(tables::jobs_by_array, pair_key(record->array_id, job_id));
  if (!erased)
    return tl::unexpected(std::move(erased.error()));
  return {};
}

retention_sweep::retention_sweep(runtime::store& database, const runtime::blob_store& blobs,
                                 const retention_limits& limits, std::int64_t now_ms)
  : database_(database),
    blobs_(blobs),
    jobs_before_(now_ms - limits.job_ms),
    idempotency_before_(now_ms - limits.idempotency_ms),
    blobs_before_(now_ms - limits.blob_ms) {
}

expected<bool> retention_sweep::step() {
  expected<void> done;
  switch (phase_) {
    case phase::jobs:
      done = remove_jobs();
      break;
    case phase::events:
      done = remove_events();
      break;
    case phase::idempotency:
      done = remove_idempotency();
      break;
    case phase::list_blobs:
      done = list_blobs();
      break;
    case phase::find_names:
      done = find_names();
      break;
    case phase::blobs:
      done = remove_blobs();
      break;
    case phase::over:
      break;
  }
  if (!done)
    return tl::unexpected(std::move(done.error()));
  return phase_ != phase::over;
}

void retention_sweep::go_on(phase next) {
  phase_ = next;
  resume_.clear();
}

expected<std::vector<std::string>>
retention_sweep::take_slice(const runtime::transaction& snapshot, const char* table,
                            const runtime::entry_visitor& wanted) {
  std::vector<std::string> keys;
  std::size_t seen = 0;
  const std::string before = std::exchange(resume_, {});
  auto done = snapshot.range(
    table, {{}, before}, [&](std::string_view key, std::string_view value) {
      if (key == before)
        return true;
      if (seen++ == rows_in_slice)
        return false;
      resume_ = key;
      if (wanted(key, value))
        keys.emplace_back(key);
      return true;
    });
  if (!done)
    return tl::unexpected(std::move(done.error()));
  if (seen <= rows_in_slice)
    resume_.clear();
  return keys;
}

expected<void> retention_sweep::remove_jobs() {
  return database_.write(
    [this](runtime::write_transaction& changes) -> expected<void> {
      std::vector<std::string> ended;
      auto done = changes.range(tables::jobs_by_end, {}, [&](std::string_view key, auto) {
        const auto ended_at = static_cast<std::int64_t>(number_in_key(key.substr(0, 8)));
        if (ended_at >= jobs_before_ || ended.size() == jobs_in_slice)
          return false;
        ended.emplace_back(key);
        return true;
      });
      for (const auto& key : ended)
        if (done)
          done = remove_job(changes, key.substr(8));
      if (done)
        done = erase_all(changes, tables::jobs_by_end, ended);
      if (!done)
        return done;
      jobs_removed_ += ended.size();
      if (ended.size() < jobs_in_slice)
        go_on(phase::events);
      return {};
    },
    runtime::write_purpose::reclaim);
}

expected<void> retention_sweep::remove_events() {
  return database_.write(
    [this](runtime::write_transaction& changes) -> expected<void> {
      bool reached_young = false;
      std::vector<std::string> marks;
      auto old = take_slice(changes, tables::events, [&](std::string_view key, auto value) {
        const auto fact = runtime::decode_record<event>(value);
        reached_young = reached_young || !fact || fact->at >= jobs_before_;
        if (reached_young)
          return false;
        if (fact->job_id.empty())
          return true;
        // The events of a job go with it; here go those that came after the job had gone.
        const auto job = changes.get(tables::jobs, fact->job_id);
        if (!job || *job)
          return false;
        marks.push_back(pair_key(fact->job_id, key));
        return true;
      });
      if (!old)
        return tl::unexpected(std::move(old.error()));
      if (reached_young || resume_.empty())
        go_on(phase::idempotency);
      if (auto done = erase_all(changes, tables::events_by_job, marks); !done)
        return done;
      return erase_all(changes, tables::events, *old);
    },
    runtime::write_purpose::reclaim);
}

expected<void> retention_sweep::remove_idempotency() {
  return database_.write(
    [this](runtime::write_transaction& changes) -> expected<void> {
      auto old
        = take_slice(changes, tables::idempotency, [&](std::string_view, std::string_view value) {
            const auto record = runtime::decode_record<idempotency_record>(value);
            return !record || record->at < idempotency_before_;
          });
      if (!old)
        return tl::unexpected(std::move(old.error()));
      if (resume_.empty())
        go_on(phase::list_blobs);
      return erase_all(changes, tables::idempotency, *old);
    },
    runtime::write_purpose::reclaim);
}

expected<void> retention_sweep::list_blobs() {
  auto all = blobs_.list();
  if (!all)
    return tl::unexpected(std::move(all.error()));
  for (auto& blob : *all)
    if (blob.written_at < blobs_before_)
      orphans_.insert(std::move(blob.digest));
  table_ = 0;
  go_on(orphans_.empty() ? phase::blobs : phase::find_names);
  return {};
}

expected<void> retention_sweep::find_names() {
  auto snapshot = database_.read();
  if (!snapshot)
    return tl::unexpected(std::move(snapshot.error()));
  const char* table = tensor_tables.at(table_);
  bool all_read = true;
  auto seen = take_slice(*snapshot, table, [&](std::string_view, std::string_view value) {
    const auto drop = [this](const models::tensor& tensor) { orphans_.erase(tensor.digest); };
    all_read = visit_detached(table, value, drop) && all_read;
    return false;
  });
  if (!seen)
    return tl::unexpected(std::move(seen.error()));
  if (!all_read)
    return runtime::fail(runtime::error_code::store_corrupt,
                         "a record of table " + std::string(table) + " can not be read");
  if (!resume_.empty())
    return {};
  if (orphans_.empty() || ++table_ == tensor_tables.size())
    go_on(phase::blobs);
  return {};
}

expected<void> retention_sweep::remove_blobs() {
  auto removed = blobs_.collect_unreferenced(
    [this](const std::string& digest) { return !orphans_.contains(digest); }, blobs_before_);
  if (!removed)
    return tl::unexpected(std::move(removed.error()));
  blobs_removed_ += *removed;
  go_on(phase::over);
  return {};
}

}  // namespace dim::actors
