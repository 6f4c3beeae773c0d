#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/store/database.hpp"
#include "actors/store/interface.hpp"
#include "actors/store/retention.hpp"
#include "config/options.hpp"
#include "runtime/actor_base.hpp"
#include "runtime/blob_store.hpp"
#include "runtime/metrics.hpp"
#include "runtime/service.hpp"

namespace dim::actors {

/// What STORE sends to itself, beside what others send.
using store_with_timers = store_actor::extend<
  // INTERNAL: everything that was in the mailbox when the first commit came is gathered now.
  caf::reacts_to<flush_due>,
  // INTERNAL: the disk was full a while ago; try whether it still is.
  caf::reacts_to<space_due>,
  // INTERNAL: look for the next slice of what is old enough to be deleted.
  caf::reacts_to<sweep_due>>;

struct store_arguments {
  database_pointer database;
  std::shared_ptr<runtime::blob_store> blobs;
  runtime::service<events_actor> events;
  std::uint32_t commit_queue_max = 8'192;
  std::uint32_t commit_batch_max = 256;
  std::uint32_t sweep_interval_ms = 600'000;
  retention_limits retention;
};

/// Fills in what the options decide.
store_arguments make_store_arguments(const config::options& options);

/// Writes for everybody, many commits in one transaction.
///
///   empty --commit--> gathering --flush_due--> one transaction, one fsync --> replies --> empty
///
/// `flush_due` goes behind what already waits in the mailbox, so that everything which came during
/// the last fsync shares the next one. Each commit is all or nothing on its own: one that
/// `put_absent` or a wrong key refuses does not touch the others. When the disk or the map is full,
/// or the store damaged, every commit of the transaction gets that failure. A full store is tried
/// with a small write each second, so that it takes work again as soon as there is space.
struct store_state {
  static inline const char* name = "STORE";
  using self_pointer = runtime::actor_self<store_with_timers, store_state>;

  void initialise(self_pointer pointer, store_arguments values);

  /// Takes a commit in, or refuses it with `overloaded` or `store_corrupt`.
  caf::result<commit_result> gather(commit_changes& request);
  /// Writes what was gathered, at most `commit_batch_max` commits, and replies.
  void flush();
  /// Writes everything that was gathered: before the end.
  void flush_all();
  void sweep();
  /// Ends `store_full` when a write is possible again.
  void try_space();
  std::string describe() const;

private:
  using commit_promise = caf::typed_response_promise<commit_result>;

  struct waiting_commit {
    commit_changes request;
    commit_promise promise;
    commit_result result;
    /// Set when this commit alone was refused.
    std::optional<runtime::failure> refusal;
  };

  void write_blobs(std::vector<waiting_commit>& batch);
  runtime::expected<void> write_batch(std::vector<waiting_commit>& batch);
  void answer(std::vector<waiting_commit>& batch, const runtime::expected<void>& written);

  struct store_meters {
    runtime::counter written = counter_of(runtime::metric::store_commits, {"written"});
    runtime::counter refused = counter_of(runtime::metric::store_commits, {"refused"});
    runtime::histogram duration = histogram_of(runtime::metric::store_transaction_duration);
  };

  self_pointer self = nullptr;
  store_meters meters;
  store_arguments arguments;
  std::deque<waiting_commit> waiting;
  bool is_flush_due = false;
  /// `space_due` is on its way.
  bool watches_space = false;
  /// The newest DISPATCHER that has written.
  std::uint64_t term = 0;
  std::optional<retention_sweep> search;
};

/// STORE, started detached by the root supervisor.
store_with_timers::behavior_type job_store(store_state::self_pointer self,
                                           store_arguments arguments);

}  // namespace dim::actors
