#include "actors/store/commit_batch.hpp"

#include "actors/store/records.hpp"
#include "runtime/record_codec.hpp"

namespace dim::actors {

using runtime::expected;

expected<std::uint64_t> event_counter::last() {
  if (!last_) {
    auto stored = changes_.get(tables::meta, last_event_key);
    if (!stored)
      return tl::unexpected(std::move(stored.error()));
    last_ = number_in_key(stored->value_or(""));
  }
  return *last_;
}

expected<void> event_counter::append(event& fact) {
  auto before = last();
  if (!before)
    return tl::unexpected(std::move(before.error()));
  fact.number = *before + 1;
  const std::string key = number_key(fact.number);
  auto done = changes_.put(tables::events, key, runtime::encode_record(fact).view());
  if (done && !fact.job_id.empty())
    done = changes_.put(tables::events_by_job, pair_key(fact.job_id, key), {});
  if (done) {
    last_ = fact.number;
    is_changed_ = true;
  }
  return done;
}

expected<void> event_counter::finish() {
  if (!is_changed_)
    return {};
  return changes_.put(tables::meta, last_event_key, number_key(*last_));
}

namespace {

/// The value under the first `put_absent` key that is there already.
expected<std::optional<runtime::bytes>> find_obstacle(const runtime::write_transaction& changes,
                                                      const commit_changes& request) {
  for (const auto& one : request.changes) {
    if (one.kind != change_kind::put_absent)
      continue;
    auto present = changes.get(one.table, one.key);
    if (!present)
      return tl::unexpected(std::move(present.error()));
    if (*present)
      return runtime::bytes::copy_of(**present);
  }
  return std::nullopt;
}

}  // namespace

expected<commit_result> apply_commit(runtime::write_transaction& changes, commit_changes& request,
                                     event_counter& counter) {
  auto obstacle = find_obstacle(changes, request);
  if (!obstacle)
    return tl::unexpected(std::move(obstacle.error()));
  if (*obstacle)
    return commit_result{false, std::move(**obstacle), 0};
  for (const auto& one : request.changes) {
    expected<void> done;
    if (one.kind != change_kind::erase)
      done = changes.put(one.table, one.key, one.value.view());
    else if (auto erased = changes.erase(one.table, one.key); !erased)
      done = tl::unexpected(std::move(erased.error()));
    if (!done)
      return tl::unexpected(std::move(done.error()));
  }
  for (auto& fact : request.events)
    if (auto done = counter.append(fact); !done)
      return tl::unexpected(std::move(done.error()));
  auto last = counter.last();
  if (!last)
    return tl::unexpected(std::move(last.error()));
  return commit_result{true, {}, *last};
}

}  // namespace dim::actors
