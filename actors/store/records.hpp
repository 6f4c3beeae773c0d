#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "actors/cluster/node_record.hpp"
#include "actors/store/messages.hpp"
#include "runtime/errors.hpp"

/// What is on disk: the key layout of every table, and the functions that turn records into changes.
/// (The lead's wish list: JOB, DISPATCHER and REGISTRY call exactly these. The store's author
/// completes this header: tables, keys, and whatever QUERIES needs.)
namespace dim::actors {

/// What an idempotency key stands for.
struct idempotency_record {
  std::string job_id;
  std::string body_digest;
  std::int64_t at = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, idempotency_record& x) {
  return f(x.job_id, x.body_digest, x.at);
}

/// Appends the writes that store a job for the first time: its row and its index entries. Its inputs
/// must have gone through `detach_large`.
void append_changes_for_new_job(const job_record& record, commit_changes& commit);

/// Appends the writes that bring a stored job from state `before` to its present record.
void append_changes_for_job(const job_record& record, job_state before, commit_changes& commit);

/// Appends the result of a job; its large tensors go to `commit.blobs` and are stored detached.
void append_changes_for_result(const std::string& job_id, job_result result,
                               commit_changes& commit);

/// The row of one attempt; `outputs` must have gone through `detach_large`.
change change_for_execution(const execution_record& record);

/// chained: the outputs of one step, and their removal.
change change_for_step(const std::string& job_id, std::uint32_t step,
                       const models::tensor_list& outputs);
change erase_step(const std::string& job_id, std::uint32_t step);

/// A node's row.
change change_for_node(const node_record& record);

/// `put_absent` of a key (hashed: database keys are short), and the record that stood there.
change change_for_idempotency(const std::string& key, const idempotency_record& record);
runtime::expected<idempotency_record> decode_idempotency(const runtime::bytes& stored);

/// Replaces tensors whose data is larger than 64 KiB by detached ones, and appends their data to
/// `blobs`. Tensors that are detached already stay as they are.
void detach_large(models::tensor_list& tensors, std::vector<blob_write>& blobs);

}  // namespace dim::actors
