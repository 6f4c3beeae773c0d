#include "actors/store/job_reader.hpp"

#include <algorithm>

#include "actors/store/records.hpp"
#include "runtime/ids.hpp"
#include "runtime/record_codec.hpp"

namespace dim::actors {

using runtime::error_code;
using runtime::expected;
using runtime::fail;

namespace {

constexpr std::size_t prefix_min = 4;

/// Decodes the record under `key`; nothing when there is none.
template <class T>
expected<std::optional<T>> read_record(const runtime::transaction& snapshot, const char* table,
                                       std::string_view key) {
  auto stored = snapshot.get(table, key);
  if (!stored)
    return tl::unexpected(std::move(stored.error()));
  if (!*stored)
    return std::nullopt;
  auto record = runtime::decode_record<T>(**stored);
  if (!record)
    return tl::unexpected(std::move(record.error()));
  return std::move(*record);
}

/// Decodes the records below `prefix`, in the order of their keys.
template <class T>
expected<std::vector<T>> read_records(const runtime::transaction& snapshot, const char* table,
                                      const std::string& prefix) {
  std::vector<T> records;
  std::optional<runtime::failure> problem;
  auto done = snapshot.range(table, {prefix}, [&](std::string_view, std::string_view value) {
    auto record = runtime::decode_record<T>(value);
    if (record)
      records.push_back(std::move(*record));
    else
      problem = std::move(record.error());
    return !problem;
  });
  if (!done)
    return tl::unexpected(std::move(done.error()));
  if (problem)
    return tl::unexpected(std::move(*problem));
  return records;
}

tl::unexpected<runtime::failure> fail_unknown(const std::string& id) {
  return fail(error_code::not_found, "there is no job " + id);
}

expected<void> check_job(const runtime::transaction& snapshot, const std::string& id) {
  auto stored = snapshot.get(tables::jobs, id);
  if (!stored)
    return tl::unexpected(std::move(stored.error()));
  if (!*stored)
    return fail_unknown(id);
  return {};
}

/// The only job id that begins with `prefix`.
expected<std::string> complete_id(const runtime::transaction& snapshot, const std::string& prefix) {
  if (prefix.size() < prefix_min)
    return fail(error_code::bad_input, "id: at least 4 characters are needed");
  std::vector<std::string> found;
  auto done = snapshot.range(tables::jobs, {prefix}, [&](std::string_view key, std::string_view) {
    found.emplace_back(key);
    return found.size() < 2;
  });
  if (!done)
    return tl::unexpected(std::move(done.error()));
  if (found.empty())
    return fail_unknown(prefix);
  if (found.size() > 1)
    return fail(error_code::bad_input, "id: " + prefix + " is the beginning of several ids");
  return found.front();
}

/// Puts the bytes of the small inputs back, which the job's row does not hold.
expected<void> attach_inputs(const runtime::transaction& snapshot, job_record& record) {
  if (record.spec.inputs.empty())
    return {};
  auto inputs = read_record<models::tensor_list>(snapshot, tables::inputs, record.id);
  if (!inputs)
    return tl::unexpected(std::move(inputs.error()));
  if (!*inputs)
    return fail(error_code::store_corrupt, "the inputs of job " + record.id + " are not stored");
  record.spec.inputs = std::move(**inputs);
  return {};
}

expected<std::vector<models::tensor_list>> read_steps(const runtime::transaction& snapshot,
                                                      const job_record& record) {
  std::vector<models::tensor_list> outputs;
  for (std::uint32_t step = 0; step < record.steps_done; ++step) {
    auto stored = read_record<models::tensor_list>(snapshot, tables::steps,
                                                   pair_key(record.id, number_key(step)));
    if (!stored)
      return tl::unexpected(std::move(stored.error()));
    if (!*stored)
      return fail(error_code::store_corrupt, "step " + std::to_string(step) + " of job "
                                               + record.id + " is not stored");
    outputs.push_back(std::move(**stored));
  }
  return outputs;
}

expected<unfinished_job> read_unfinished_job(const runtime::transaction& snapshot,
                                             const std::string& id) {
  auto record = read_record<job_record>(snapshot, tables::jobs, id);
  if (!record)
    return tl::unexpected(std::move(record.error()));
  if (!*record)
    return fail(error_code::store_corrupt, "the row of job " + id + " is not stored");
  unfinished_job job;
  job.record = std::move(**record);
  if (auto done = attach_inputs(snapshot, job.record); !done)
    return tl::unexpected(std::move(done.error()));
  auto outputs = read_steps(snapshot, job.record);
  if (!outputs)
    return tl::unexpected(std::move(outputs.error()));
  job.step_outputs = std::move(*outputs);
  return job;
}

/// The executions that ended jobs (one of them, or all for an empty id) have left open.
expected<void> read_stragglers(const runtime::transaction& snapshot, const std::string& job_id,
                               std::vector<unfinished_stragglers>& found) {
  const runtime::key_range keys{.prefix = job_id};
  auto listed =
    snapshot.range(tables::stragglers, keys, [&](std::string_view key, std::string_view) {
      found.push_back({std::string{key}, {}});
      return true;
    });
  if (!listed)
    return tl::unexpected(std::move(listed.error()));
  for (auto& each : found) {
    auto records
      = read_records<execution_record>(snapshot, tables::executions, pair_key(each.job_id, {}));
    if (!records)
      return tl::unexpected(std::move(records.error()));
    for (auto& record : *records)
      if (record.state <= execution_state::running)
        each.executions.push_back(std::move(record));
  }
  return {};
}

}  // namespace

expected<job_view> read_job(const runtime::transaction& snapshot, const std::string& id) {
  auto whole_id = runtime::is_uuid(id) ? id : complete_id(snapshot, id);
  if (!whole_id)
    return tl::unexpected(std::move(whole_id.error()));
  auto record = read_record<job_record>(snapshot, tables::jobs, *whole_id);
  if (!record)
    return tl::unexpected(std::move(record.error()));
  if (!*record)
    return fail_unknown(*whole_id);
  job_view view;
  view.record = std::move(**record);
  if (auto done = attach_inputs(snapshot, view.record); !done)
    return tl::unexpected(std::move(done.error()));
  auto result = read_record<job_result>(snapshot, tables::results, *whole_id);
  if (!result)
    return tl::unexpected(std::move(result.error()));
  view.has_result = result->has_value();
  if (view.has_result)
    view.result = std::move(**result);
  return view;
}

expected<unfinished_jobs> read_unfinished(const runtime::transaction& snapshot,
                                          const std::string& job_id) {
  std::vector<std::string> ids;
  for (const auto state : {job_state::pending, job_state::scheduled, job_state::running}) {
    const runtime::key_range keys{.prefix = job_id};
    auto done =
      snapshot.range(state_table(state), keys, [&](std::string_view key, std::string_view) {
        ids.emplace_back(key);
        return true;
      });
    if (!done)
      return tl::unexpected(std::move(done.error()));
  }
  std::sort(ids.begin(), ids.end());
  unfinished_jobs result;
  for (const auto& id : ids) {
    auto job = read_unfinished_job(snapshot, id);
    if (!job)
      return tl::unexpected(std::move(job.error()));
    result.jobs.push_back(std::move(*job));
  }
  if (auto done = read_stragglers(snapshot, job_id, result.stragglers); !done)
    return tl::unexpected(std::move(done.error()));
  return result;
}

expected<execution_list> read_executions(const runtime::transaction& snapshot,
                                         const std::string& job_id) {
  if (auto known = check_job(snapshot, job_id); !known)
    return tl::unexpected(std::move(known.error()));
  auto records
    = read_records<execution_record>(snapshot, tables::executions, pair_key(job_id, {}));
  if (!records)
    return tl::unexpected(std::move(records.error()));
  return execution_list{std::move(*records)};
}

expected<event_list> read_history(const runtime::transaction& snapshot,
                                  const std::string& job_id) {
  if (auto known = check_job(snapshot, job_id); !known)
    return tl::unexpected(std::move(known.error()));
  std::vector<std::string> keys;
  auto done = snapshot.range(tables::events_by_job, {pair_key(job_id, {})},
                             [&](std::string_view key, std::string_view) {
                               keys.push_back(number_key(number_in_key(key)));
                               return true;
                             });
  if (!done)
    return tl::unexpected(std::move(done.error()));
  event_list history;
  for (const auto& key : keys) {
    auto fact = read_record<event>(snapshot, tables::events, key);
    if (!fact)
      return tl::unexpected(std::move(fact.error()));
    if (*fact)
      history.events.push_back(std::move(**fact));
  }
  return history;
}

expected<stored_nodes> read_nodes(const runtime::transaction& snapshot) {
  auto records = read_records<node_record>(snapshot, tables::nodes, {});
  if (!records)
    return tl::unexpected(std::move(records.error()));
  return stored_nodes{std::move(*records)};
}

expected<store_totals> read_totals(const runtime::transaction& snapshot) {
  store_totals totals;
  for (std::size_t state = 0; state <= static_cast<std::size_t>(last_value(job_state{})); ++state) {
    auto size = snapshot.count(state_table(static_cast<job_state>(state)));
    if (!size)
      return tl::unexpected(std::move(size.error()));
    totals.jobs_by_state.push_back(*size);
  }
  auto executions = snapshot.count(tables::executions);
  auto last = read_last_event(snapshot);
  if (!executions || !last)
    return tl::unexpected(executions ? last.error() : executions.error());
  totals.executions = *executions;
  totals.last_event = *last;
  return totals;
}

expected<event_list> read_events_after(const runtime::transaction& snapshot, std::uint64_t after,
                                       std::uint32_t max) {
  event_list result;
  std::optional<runtime::failure> problem;
  if (after == ~std::uint64_t{0} || max == 0)
    return result;
  auto done = snapshot.range(tables::events, {{}, number_key(after + 1)},
                             [&](std::string_view, std::string_view value) {
                               auto fact = runtime::decode_record<event>(value);
                               if (fact)
                                 result.events.push_back(std::move(*fact));
                               else
                                 problem = std::move(fact.error());
                               return !problem && result.events.size() < max;
                             });
  if (!done)
    return tl::unexpected(std::move(done.error()));
  if (problem)
    return tl::unexpected(std::move(*problem));
  return result;
}

expected<popular_models> read_popularity(const runtime::transaction& snapshot) {
  auto stored = snapshot.get(tables::meta, popularity_key);
  if (!stored)
    return tl::unexpected(std::move(stored.error()));
  if (!stored->has_value())
    return popular_models{};
  return runtime::decode_record<popular_models>(**stored);
}

expected<std::uint64_t> read_last_event(const runtime::transaction& snapshot) {
  auto stored = snapshot.get(tables::meta, last_event_key);
  if (!stored)
    return tl::unexpected(std::move(stored.error()));
  return number_in_key(stored->value_or(""));
}

}  // namespace dim::actors
