#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "runtime/blob_store.hpp"
#include "runtime/errors.hpp"
#include "runtime/store.hpp"

namespace dim::actors {

/// How long things are kept, in milliseconds.
struct retention_limits {
  /// Jobs from their end, with everything that belongs to them; events of no job from their time.
  std::int64_t job_ms = 0;
  std::int64_t idempotency_ms = 0;
  /// Blobs that no stored tensor names, from the time when they were written.
  std::int64_t blob_ms = 0;
};

/// One search through the database and the blobs for what is old enough to go. It works in slices,
/// so that commits wait for one slice at the most:
///
///     jobs -> events -> idempotency keys -> list of old blobs -> those named somewhere -> removal
///
/// Where a blob is named is found by reading every record that may hold tensors, and only when
/// there are old blobs.
class retention_sweep {
public:
  retention_sweep(runtime::store& database, const runtime::blob_store& blobs,
                  const retention_limits& limits, std::int64_t now_ms);

  /// Does one slice; false when the search is over. Errors: those of the store and of the blobs.
  runtime::expected<bool> step();

  std::uint64_t jobs_removed() const noexcept {
    return jobs_removed_;
  }
  std::uint64_t blobs_removed() const noexcept {
    return blobs_removed_;
  }

private:
  enum class phase : std::uint8_t {
    jobs, events, idempotency, list_blobs, find_names, blobs, over
  };

  runtime::expected<void> remove_jobs();
  runtime::expected<void> remove_events();
  runtime::expected<void> remove_idempotency();
  runtime::expected<void> list_blobs();
  runtime::expected<void> find_names();
  runtime::expected<void> remove_blobs();
  void go_on(phase next);
  /// Keys of `table` behind `resume_`, at most one slice, that `wanted` picks; moves `resume_` on,
  /// and empties it at the table's end.
  runtime::expected<std::vector<std::string>> take_slice(const runtime::transaction& snapshot,
                                                         const char* table,
                                                         const runtime::entry_visitor& wanted);

  runtime::store& database_;
  const runtime::blob_store& blobs_;
  std::int64_t jobs_before_;
  std::int64_t idempotency_before_;
  std::int64_t blobs_before_;
  phase phase_ = phase::jobs;
  /// The last key seen in the table of this phase.
  std::string resume_;
  /// Which of the tables that hold tensors is read.
  std::size_t table_ = 0;
  /// Digests of old blobs that were not found named yet.
  std::set<std::string> orphans_;
  std::uint64_t jobs_removed_ = 0;
  std::uint64_t blobs_removed_ = 0;
};

/// Removes a job and everything that belongs to it. Errors: those of the store.
runtime::expected<void> remove_job(runtime::write_transaction& changes, const std::string& job_id);

}  // namespace dim::actors
