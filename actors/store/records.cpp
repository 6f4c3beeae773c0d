#include "actors/store/records.hpp"

#include "runtime/digest.hpp"
#include "runtime/record_codec.hpp"

namespace dim::actors {

namespace {

change put(const char* table, std::string key, runtime::bytes value) {
  return {change_kind::put, table, std::move(key), std::move(value)};
}

change put_mark(std::string table, std::string key) {
  return {change_kind::put, std::move(table), std::move(key), {}};
}

change job_row(job_record record) {
  for (auto& input : record.spec.inputs) {
    if (!input.data.empty())
      input.byte_size = input.data.size();
    input.data = {};
  }
  return put(tables::jobs, record.id, runtime::encode_record(record));
}

std::string step_key(const std::string& job_id, std::uint32_t step) {
  return pair_key(job_id, number_key(step));
}

}  // namespace

std::vector<std::string> tables::all() {
  std::vector<std::string> names{inputs,      jobs,  jobs_by_pattern, jobs_by_submitter,
                                 jobs_by_end, nodes, executions,      results,
                                 steps,       events, events_by_job,  idempotency,
                                 stragglers,  jobs_by_array};
  for (auto state = job_state::pending; state <= last_value(state);
       state = static_cast<job_state>(static_cast<int>(state) + 1))
    names.push_back(state_table(state));
  return names;
}

std::string state_table(job_state state) {
  return tables::jobs_of_state + std::string(to_string(state));
}

std::string number_key(std::uint64_t number) {
  std::string key(sizeof number, '\0');
  for (auto place = key.rbegin(); place != key.rend(); ++place, number >>= 8)
    *place = static_cast<char>(number & 0xff);
  return key;
}

std::uint64_t number_in_key(std::string_view key) noexcept {
  std::uint64_t number = 0;
  if (key.size() < sizeof number)
    return number;
  for (const char part : key.substr(key.size() - sizeof number))
    number = (number << 8) | static_cast<unsigned char>(part);
  return number;
}

std::string pair_key(std::string_view first, std::string_view second) {
  std::string key{first};
  key += '/';
  key += second;
  return key;
}

std::string submitter_prefix(std::string_view submitted_by) {
  return pair_key(runtime::sha256_hex(submitted_by).substr(0, 16), {});
}

std::string idempotency_row(std::string_view key) {
  return runtime::sha256_hex(key);
}

void append_changes_for_new_job(const job_record& record, commit_changes& commit) {
  auto& changes = commit.changes;
  changes.push_back(job_row(record));
  if (!record.spec.inputs.empty())
    changes.push_back(put(tables::inputs, record.id, runtime::encode_record(record.spec.inputs)));
  changes.push_back(put_mark(state_table(record.state), record.id));
  changes.push_back(
    put_mark(tables::jobs_by_pattern, pair_key(to_string(record.spec.kind), record.id)));
  changes.push_back(put_mark(tables::jobs_by_submitter,
                             submitter_prefix(record.spec.submitted_by) + record.id));
  if (!record.array_id.empty())
    changes.push_back(put_mark(tables::jobs_by_array, pair_key(record.array_id, record.id)));
}

void append_changes_for_job(const job_record& record, job_state before, commit_changes& commit) {
  auto& changes = commit.changes;
  changes.push_back(job_row(record));
  if (record.state == before)
    return;
  changes.push_back({change_kind::erase, state_table(before), record.id, {}});
  changes.push_back(put_mark(state_table(record.state), record.id));
  if (is_terminal(record.state))
    changes.push_back(
      put_mark(tables::jobs_by_end,
               number_key(static_cast<std::uint64_t>(record.completed_at)) + record.id));
}

void append_changes_for_result(const std::string& job_id, job_result result,
                               commit_changes& commit) {
  detach_large(result.outputs, commit.blobs);
  for (auto& participant : result.participants)
    detach_large(participant.outputs, commit.blobs);
  commit.changes.push_back(put(tables::results, job_id, runtime::encode_record(result)));
}

change change_for_execution(const execution_record& record) {
  return put(tables::executions, pair_key(record.job_id, record.id),
             runtime::encode_record(record));
}

change change_for_step(const std::string& job_id, std::uint32_t step,
                       const models::tensor_list& outputs) {
  return put(tables::steps, step_key(job_id, step), runtime::encode_record(outputs));
}

change erase_step(const std::string& job_id, std::uint32_t step) {
  return {change_kind::erase, tables::steps, step_key(job_id, step), {}};
}

change change_for_stragglers(const std::string& job_id) {
  return put(tables::stragglers, job_id, {});
}

change erase_stragglers(const std::string& job_id) {
  return {change_kind::erase, tables::stragglers, job_id, {}};
}

change change_for_node(const node_record& record) {
  return put(tables::nodes, record.facts.id, runtime::encode_record(record));
}

change change_for_popularity(const popular_models& popular) {
  return put(tables::meta, std::string{popularity_key}, runtime::encode_record(popular));
}

change change_for_idempotency(const std::string& key, const idempotency_record& record) {
  return {change_kind::put_absent, tables::idempotency, idempotency_row(key),
          runtime::encode_record(record)};
}

runtime::expected<idempotency_record> decode_idempotency(const runtime::bytes& stored) {
  return runtime::decode_record<idempotency_record>(stored.view());
}

void detach_large(models::tensor_list& tensors, std::vector<blob_write>& blobs) {
  for (auto& tensor : tensors) {
    if (tensor.data.size() <= inline_bytes_max)
      continue;
    if (tensor.digest.empty())
      tensor.digest = runtime::sha256_hex(tensor.data.view());
    tensor.byte_size = tensor.data.size();
    blobs.push_back({tensor.digest, std::exchange(tensor.data, {})});
  }
}

}  // namespace dim::actors
