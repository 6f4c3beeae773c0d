#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "actors/job/interface.hpp"
#include "actors/job/job.hpp"
#include "actors/store/records.hpp"
#include "runtime/ids.hpp"

namespace dim::actors {

struct dispatcher_arguments {
  config::orchestrator_options options;
  config::reputation_options reputation;
  job_services services;
};

/// Admits jobs, holds those that are not terminal, and rebuilds what crashed.
///
///   loading --unfinished jobs are here--> serving
///
/// A submission is answered after its commit; under a known idempotency key, with the job of the
/// first one. An array of jobs is admitted in one commit, or not at all. At most `pending_jobs_max`
/// jobs are held. A JOB that crashes is rebuilt from the store `job_rebuilds_max` times, then its
/// job fails `internal`.
struct dispatcher_state {
  static inline const char* name = "DISPATCHER";
  using self_pointer = runtime::actor_self<dispatcher_actor, dispatcher_state>;

  void initialise(self_pointer pointer, dispatcher_arguments values);

  caf::result<submit_result> admit(submit_job& request);
  caf::result<job_status> cancel(cancel_job& request);
  caf::result<array_view> cancel_all(const cancel_array& request);
  caf::result<job_status> await(const await_job& request);
  void note_ended(const job_ended& news);
  void note_down(const caf::down_msg& news);
  void look_at_clock();
  std::string describe() const;

private:
  /// A submission on its way through the catalogue to the store.
  struct admission {
    submit_job request;
    std::vector<model_entry> entries;
    std::size_t missing = 0;
    caf::typed_response_promise<submit_result> promise;
    bool is_refused = false;
    /// The jobs that it makes.
    std::size_t job_count() const {
      return std::max<std::size_t>(request.array.size(), 1);
    }
  };
  using admission_pointer = std::shared_ptr<admission>;

  /// A job that is not terminal.
  struct held_job {
    job_actor actor;
    std::int64_t ends_at = 0;
  };

  struct waiting_reader {
    std::string job_id;
    caf::typed_response_promise<job_status> promise;
  };

  /// Goes on when everything that was sent to STORE before is written, and when nothing that an
  /// older DISPATCHER's JOBs still send will be: what is read then is read for good.
  void after_commits(std::function<void()> next);
  void take_unfinished(unfinished_jobs& stored);
  void find_models(const admission_pointer& work);
  void store_jobs(const admission_pointer& work);
  /// The records of a submission whose models are known.
  std::vector<job_record> make_records(admission& work);
  void note_stored(const admission_pointer& work, std::vector<job_record>& records,
                   const commit_result& result);
  /// The key was known: answers with the job, or the array, that it made.
  void answer_with_known(const admission_pointer& work, const idempotency_record& known);
  void refuse(const admission_pointer& work, const caf::error& why);
  void hold(job_arguments arguments);
  void rebuild(const std::string& job_id);
  void load_crashed(const std::string& job_id);
  /// Ends the executions that ended jobs have left open.
  void close_stragglers(std::vector<unfinished_stragglers> left);
  void fail_job(job_record record);
  void store_failure(job_record record, std::vector<execution_record> executions);
  void answer_readers(const std::string& job_id, job_state state);

  /// An array whose jobs are being cancelled.
  struct array_cancellation {
    std::string id;
    std::size_t missing = 0;
    caf::typed_response_promise<array_view> promise;
  };
  void cancel_elements(const std::shared_ptr<array_cancellation>& work, const array_view& view);
  void note_element(const std::shared_ptr<array_cancellation>& work);

  self_pointer self = nullptr;
  dispatcher_arguments arguments;
  bool is_loaded = false;
  std::unique_ptr<runtime::id_source> ids;
  std::map<std::string, held_job> jobs;
  /// Of every JOB that lives, also of those whose jobs have ended.
  std::map<caf::actor_addr, std::string> job_of;
  /// Crashes of JOB actors whose jobs have not ended.
  std::map<std::string, std::uint32_t> crashes;
  std::set<std::pair<std::int64_t, std::string>> deadlines;
  /// Jobs between admission and commit: they count as held.
  std::size_t under_way = 0;
  /// What `close_stragglers` could not store yet, and when it tries again.
  std::vector<unfinished_stragglers> unclosed;
  std::int64_t close_again_at = 0;
  std::uint64_t last_reader = 0;
  std::map<std::uint64_t, waiting_reader> readers;
  std::set<std::pair<std::int64_t, std::uint64_t>> reader_deadlines;
  std::multimap<std::string, std::uint64_t> readers_of;
};

/// DISPATCHER, started by the root supervisor after STORE, MODELS, REGISTRY and SCHEDULER.
dispatcher_actor::behavior_type dispatcher(dispatcher_state::self_pointer self,
                                           dispatcher_arguments arguments);

}  // namespace dim::actors
