#pragma once

#include <caf/typed_actor.hpp>

#include "actors/store/backup_messages.hpp"
#include "actors/store/messages.hpp"
#include "actors/store/model_messages.hpp"
#include "actors/store/popularity_messages.hpp"

namespace dim::actors {

struct served_models;

/// STORE is the sole writer of the database: one thread, group commit. A reply means it is on disk.
using store_actor = caf::typed_actor<
  // Writes all of it or nothing. Errors: store_full, store_corrupt, unavailable (read-only),
  // overloaded (too many commits wait), conflict (from an older term than the present one).
  caf::replies_to<commit_changes>::with<commit_result>>;

/// QUERIES reads committed state; it never waits for a commit. Errors of all: store_corrupt.
using queries_actor = caf::typed_actor<
  // One job with its result. Errors: not_found, bad_input (the prefix fits several jobs).
  caf::replies_to<get_job>::with<job_view>,
  // A page, newest first. Errors: bad_input (cursor, limit).
  caf::replies_to<list_jobs>::with<job_page>,
  // An array's jobs and their states. Errors: not_found, bad_input (the prefix fits several).
  caf::replies_to<get_array>::with<array_view>,
  // All attempts, oldest first. Errors: not_found.
  caf::replies_to<get_executions>::with<execution_list>,
  // All events of one job, in order. Errors: not_found.
  caf::replies_to<get_history>::with<event_list>,
  // What is to be taken up after a restart.
  caf::replies_to<load_unfinished>::with<unfinished_jobs>,
  // The nodes of earlier runs, with their reputation.
  caf::replies_to<load_nodes>::with<stored_nodes>,
  // Which models were asked for most, as ROUTER stored it last; none at first.
  caf::replies_to<load_popularity>::with<popular_models>,
  // Counts for the status pages.
  caf::replies_to<get_totals>::with<store_totals>>;

/// EVENTS keeps the tail of the event log in memory for readers and subscribers.
using events_actor = caf::typed_actor<
  // From STORE, after each commit.
  caf::reacts_to<events_committed>,
  // Events after a number; older ones than the tail come from the database. Never fails.
  caf::replies_to<read_events>::with<event_list>>;

/// BACKUP copies what the orchestrator has on disk, while others read and write.
using backup_actor = caf::typed_actor<
  // Replies when it has begun. Errors: conflict (one is running), bad_input (the path).
  caf::replies_to<start_backup>::with<backup_status>,
  // How the last one is doing. Never fails.
  caf::replies_to<get_backup>::with<backup_status>>;

/// MODELS is the catalogue of models and versions, hands out bytes by digest, and says which
/// versions are served.
using models_actor = caf::typed_actor<
  // Errors: model_not_found.
  caf::replies_to<find_model>::with<model_entry>,
  // All versions of all models, by name, then version.
  caf::replies_to<list_models>::with<model_list>,
  // Upload, block by block; see the messages for errors.
  caf::replies_to<upload_block>::with<upload_progress>,
  caf::replies_to<finish_upload>::with<model_entry>, caf::reacts_to<abandon_upload>,
  // The same in parts, over connections that break and restarts; see the messages for errors.
  caf::replies_to<resume_upload>::with<upload_progress>,
  caf::replies_to<pause_upload>::with<upload_progress>,
  // Replies with what is left of the model. Errors: model_not_found.
  caf::replies_to<remove_model>::with<model_list>,
  // Bytes of a model file or blob. Errors: not_found, bad_input (range).
  caf::replies_to<fetch_chunk>::with<chunk>,
  // What is served: all of it, or one model's versions. Errors: model_not_found.
  caf::replies_to<get_served_models>::with<served_models>,
  // Reply with the model's versions when it is done; see the messages for errors.
  caf::replies_to<load_served_model>::with<served_models>,
  caf::replies_to<unload_served_model>::with<served_models>,
  caf::replies_to<set_model_alias>::with<model_alias>>;

}  // namespace dim::actors
