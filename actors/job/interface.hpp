#pragma once

#include <caf/typed_actor.hpp>

#include "actors/job/messages.hpp"
#include "actors/store/messages.hpp"

namespace dim::actors {

/// DISPATCHER admits, holds, cancels jobs and rebuilds those that crash or outlive a restart.
using dispatcher_actor = caf::typed_actor<
  // Replies after the commit. See submit_job for errors.
  caf::replies_to<submit_job>::with<submit_result>,
  // Replies after the commit. Errors: not_found, conflict.
  caf::replies_to<cancel_job>::with<job_status>,
  // Replies after the commits. Errors: not_found, conflict.
  caf::replies_to<cancel_array>::with<array_view>,
  // Replies at the job's end or when the wait is over. Never fails.
  caf::replies_to<await_job>::with<job_status>,
  // From its JOBs.
  caf::reacts_to<job_ended>,
  // INTERNAL: looks for jobs and waits whose time is over.
  caf::reacts_to<caf::tick_atom>>;

/// JOB carries one job from its plan to its stored result, and is the sole writer of its rows.
using job_actor = caf::typed_actor<
  // From DISPATCHER: cancel, reply after the commit. Errors: conflict (already terminal).
  caf::replies_to<cancel_job>::with<job_status>,
  // From DISPATCHER: the job's time is over.
  caf::reacts_to<job_deadline_passed>,
  // From its ENGINE.
  caf::reacts_to<execution_changed>, caf::replies_to<save_step>::with<step_saved>,
  caf::reacts_to<engine_finished>, caf::reacts_to<engine_failed>, caf::reacts_to<straggler_scored>,
  caf::reacts_to<engine_done>,
  // INTERNAL: tries again to store what STORE has refused.
  caf::reacts_to<caf::tick_atom>>;

}  // namespace dim::actors
