#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "actors/engine/execution_record.hpp"
#include "actors/job/job_record.hpp"

/// Messages of DISPATCHER and JOB.
namespace dim::actors {

/// Admits a job: fills in versions and digests, stores it, and replies after the commit. A known
/// idempotency key replies with the job it made before. Errors: bad_input (with details),
/// model_not_found, conflict (key reused for another body), overloaded (pending jobs at their
/// limit), unavailable, store_full.
///
/// With an `array` it is as many jobs, alike but for their inputs: all of them are stored in one
/// commit, or none. From then on each is a job like any other.
struct submit_job {
  job_spec spec;
  std::string idempotency_key;
  /// SHA-256 of the request's body: the same key must come with the same body.
  std::string body_digest;
  /// The inputs of each job, in place of those of `spec`. Empty: one job.
  std::vector<models::tensor_list> array = {};
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, submit_job& x) {
  return f(x.spec, x.idempotency_key, x.body_digest, x.array);
}

struct submit_result {
  std::string id;
  job_state state = job_state::pending;
  /// The key was known: this job was made by an earlier request.
  bool existed = false;
  /// Of an array: its id and those of its jobs, in order; `id` is that of the first.
  std::string array_id = {};
  std::vector<std::string> job_ids = {};
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, submit_result& x) {
  return f(x.id, x.state, x.existed, x.array_id, x.job_ids);
}

/// Cancels a job that is not terminal; replies after the commit. Errors: not_found, conflict (it is
/// terminal already).
struct cancel_job {
  std::string id;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, cancel_job& x) {
  return f(x.id);
}

/// Cancels the jobs of an array that are not terminal; replies after their commits with how all of
/// them stand. Errors: not_found, conflict (every one is terminal already).
struct cancel_array {
  std::string id;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, cancel_array& x) {
  return f(x.id);
}

/// Replies when the job is terminal, or when `wait_ms` has passed, whichever is first; at once for
/// a job that DISPATCHER does not hold. Never fails.
struct await_job {
  std::string id;
  std::uint32_t wait_ms = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, await_job& x) {
  return f(x.id, x.wait_ms);
}

struct job_status {
  std::string id;
  job_state state = job_state::pending;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, job_status& x) {
  return f(x.id, x.state);
}

/// Holds back (true) or lets go (false) the placement of new executions; admission goes on.
struct pause_placement {
  bool paused = false;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, pause_placement& x) {
  return f(x.paused);
}

// -- ENGINE tells its JOB. None is answered, except save_step. ------------------------------------

/// An execution was placed, started or ended: JOB stores the record.
struct execution_changed {
  execution_record record;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, execution_changed& x) {
  return f(x.record);
}

/// chained: store these outputs as step `step`'s; the reply means they are on disk.
struct save_step {
  std::uint32_t step = 0;
  models::tensor_list outputs;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, save_step& x) {
  return f(x.step, x.outputs);
}

struct step_saved {
  std::uint32_t step = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, step_saved& x) {
  return f(x.step);
}

/// A reputation change that is due: +5 agreed, -10 disagreed. Stored with the job's own change.
struct node_scored {
  std::string node_id;
  std::string execution_id;
  std::int32_t points = 0;

  bool operator==(const node_scored&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_scored& x) {
  return f(x.node_id, x.execution_id, x.points);
}

/// The pattern has its answer.
struct engine_finished {
  job_result result;
  std::vector<node_scored> scores;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, engine_finished& x) {
  return f(x.result, x.scores);
}

/// The pattern can not reach an answer. `rolled_back`: stored intermediates are to be removed.
struct engine_failed {
  runtime::failure error;
  bool rolled_back = false;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, engine_failed& x) {
  return f(x.error, x.rolled_back);
}

/// A straggler of a finished replicated job was compared with the consensus.
struct straggler_scored {
  execution_record record;
  node_scored score;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, straggler_scored& x) {
  return f(x.record, x.score);
}

/// The engine has nothing left to wait for and quits.
struct engine_done {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, engine_done&) {
  return f();
}

// -- between DISPATCHER and its JOBs
// ---------------------------------------------------------------

/// JOB tells DISPATCHER that its terminal state is on disk. No reply.
struct job_ended {
  std::string id;
  job_state state = job_state::completed;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, job_ended& x) {
  return f(x.id, x.state);
}

/// DISPATCHER tells JOB that the job's time is over: it fails with `timeout`. No reply.
struct job_deadline_passed {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, job_deadline_passed&) {
  return f();
}

}  // namespace dim::actors
