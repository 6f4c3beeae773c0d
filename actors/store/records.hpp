#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/cluster/node_record.hpp"
#include "actors/store/messages.hpp"
#include "actors/store/popularity_messages.hpp"
#include "runtime/errors.hpp"

/// What is on disk: the key layout of every table, and the functions that turn records into
/// changes.
///
/// Values are records of runtime/record_codec.hpp. Numbers in keys are 8 bytes, the highest first,
/// so that their order is the order of the keys; ids are UUIDs of version 7, so that the order of
/// jobs and executions is that of their making.
namespace dim::actors {

namespace tables {

/// "schema_version" -> the version as text (runtime/store.hpp); "last_event" and "generation" -> a
/// number as in keys; "popularity" -> popular_models.
inline constexpr const char* meta = "meta";

/// job id -> job_record, its inputs without their bytes, so that a change of state writes little.
inline constexpr const char* jobs = "jobs";

/// job id -> models::tensor_list: the inputs of at most 64 KiB with their bytes, larger ones
/// detached.
inline constexpr const char* inputs = "inputs";

/// job id -> nothing, in the table of the job's state: a table each, because their sizes are known
/// without counting. See `state_table`.
inline constexpr const char* jobs_of_state = "jobs_";

/// pattern '/' job id -> nothing.
inline constexpr const char* jobs_by_pattern = "jobs_by_pattern";

/// 16 hex digits of SHA-256(submitter) '/' job id -> nothing.
inline constexpr const char* jobs_by_submitter = "jobs_by_submitter";

/// array id '/' job id -> nothing.
inline constexpr const char* jobs_by_array = "jobs_by_array";

/// number (when the job ended, in ms) job id -> nothing: what is to be deleted next.
inline constexpr const char* jobs_by_end = "jobs_by_end";

/// job id '/' execution id -> execution_record.
inline constexpr const char* executions = "executions";

/// job id -> nothing: jobs that ended while executions of theirs (stragglers) still ran.
inline constexpr const char* stragglers = "stragglers";

/// job id -> job_result.
inline constexpr const char* results = "results";

/// job id '/' number (the step) -> models::tensor_list: the stored outputs of a chained job.
inline constexpr const char* steps = "steps";

/// node id -> node_record.
inline constexpr const char* nodes = "nodes";

/// number (the event's) -> event.
inline constexpr const char* events = "events";

/// job id '/' number (the event's) -> nothing.
inline constexpr const char* events_by_job = "events_by_job";

/// SHA-256(idempotency key) in hex -> idempotency_record.
inline constexpr const char* idempotency = "idempotency";

/// All of them but "meta", for `runtime::store_settings`.
std::vector<std::string> all();

}  // namespace tables

/// The schema of this layout. A change of it adds one, and a migration in database.cpp.
inline constexpr std::uint32_t schema_version = 1;

inline constexpr std::string_view last_event_key = "last_event";
inline constexpr std::string_view generation_key = "generation";
inline constexpr std::string_view popularity_key = "popularity";

/// "jobs_pending", "jobs_scheduled", ...
std::string state_table(job_state state);

/// A number as 8 bytes, the highest first.
std::string number_key(std::uint64_t number);
/// The number in the last 8 bytes of a key; 0 when it is shorter.
std::uint64_t number_in_key(std::string_view key) noexcept;

/// `first` '/' `second`; with an empty `second` the prefix of all such keys.
std::string pair_key(std::string_view first, std::string_view second);

/// The prefix of a submitter's keys in `jobs_by_submitter`.
std::string submitter_prefix(std::string_view submitted_by);

/// The key of an idempotency key, whatever its length.
std::string idempotency_row(std::string_view key);

/// What an idempotency key stands for.
struct idempotency_record {
  std::string job_id;
  std::string body_digest;
  std::int64_t at = 0;
  /// The key made an array of jobs, of which `job_id` is the first.
  std::string array_id = {};

  bool operator==(const idempotency_record&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, idempotency_record& x) {
  return f(x.job_id, x.body_digest, x.at, x.array_id);
}

/// Appends the writes that store a job for the first time: its row and its index entries. Its
/// inputs must have gone through `detach_large`.
void append_changes_for_new_job(const job_record& record, commit_changes& commit);

/// Appends the writes that bring a stored job from state `before` to its present record.
void append_changes_for_job(const job_record& record, job_state before, commit_changes& commit);

/// Appends the result of a job; its large tensors go to `commit.blobs` and are stored detached.
void append_changes_for_result(const std::string& job_id, job_result result,
                               commit_changes& commit);

/// The row of one attempt; `outputs` must have gone through `detach_large`.
change change_for_execution(const execution_record& record);

/// chained: the outputs of one step, which must have gone through `detach_large`, and their
/// removal.
change change_for_step(const std::string& job_id, std::uint32_t step,
                       const models::tensor_list& outputs);
change erase_step(const std::string& job_id, std::uint32_t step);

/// Enters an ended job whose stragglers still run, and takes it out when they have ended.
change change_for_stragglers(const std::string& job_id);
change erase_stragglers(const std::string& job_id);

/// A node's row.
change change_for_node(const node_record& record);

change change_for_popularity(const popular_models& popular);

/// `put_absent` of a key (hashed: database keys are short), and the record that stood there.
/// Errors: store_corrupt.
change change_for_idempotency(const std::string& key, const idempotency_record& record);
runtime::expected<idempotency_record> decode_idempotency(const runtime::bytes& stored);

/// Payloads up to this size stay in the database.
inline constexpr std::uint64_t inline_bytes_max = 64 << 10;

/// Replaces tensors whose data is larger than 64 KiB by detached ones, and appends their data to
/// `blobs`. Tensors that are detached already stay as they are.
void detach_large(models::tensor_list& tensors, std::vector<blob_write>& blobs);

}  // namespace dim::actors
