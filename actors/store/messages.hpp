#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "actors/cluster/node_record.hpp"
#include "actors/engine/execution_record.hpp"
#include "actors/job/job_record.hpp"
#include "actors/store/event.hpp"
#include "runtime/bytes.hpp"

/// Messages of STORE, QUERIES and EVENTS.
namespace dim::actors {

// -- STORE: the sole writer
// ------------------------------------------------------------------------

enum class change_kind : std::uint8_t {
  put,
  erase,
  put_absent,  ///< Refuses the whole commit when the key exists.
};

/// One write. `table` is one of the names in actors/store/records.hpp.
struct change {
  change_kind kind = change_kind::put;
  std::string table;
  std::string key;
  runtime::bytes value;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, change& x) {
  return f(x.kind, x.table, x.key, x.value);
}

/// A payload to be on disk, under its digest, before the commit that names it.
struct blob_write {
  std::string digest;
  runtime::bytes data;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, blob_write& x) {
  return f(x.digest, x.data);
}

/// Asks STORE to write all of it in one transaction, or none. Events get their numbers there.
struct commit_changes {
  std::vector<change> changes;
  std::vector<event> events;
  std::vector<blob_write> blobs;
  /// The DISPATCHER in whose name it is written, as a number that grows with each. Once STORE has
  /// seen one, what comes from an older one is refused as `conflict`. 0: no DISPATCHER's.
  std::uint64_t term = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, commit_changes& x) {
  return f(x.changes, x.events, x.blobs, x.term);
}

/// It is on disk, or a `put_absent` found its key: then nothing was written and `existing` is the
/// value that stood there.
struct commit_result {
  bool applied = false;
  runtime::bytes existing;
  std::uint64_t last_event = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, commit_result& x) {
  return f(x.applied, x.existing, x.last_event);
}

/// INTERNAL to STORE: write what was gathered.
struct flush_due {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, flush_due&) {
  return f();
}

/// INTERNAL to STORE: look whether the disk has space again.
struct space_due {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, space_due&) {
  return f();
}

/// INTERNAL to STORE: look for what is old enough to be deleted.
struct sweep_due {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, sweep_due&) {
  return f();
}

// -- QUERIES: reads of committed state, never behind a commit
// --------------------------------------

/// `id` may be a unique prefix of 4 characters or more. Errors: not_found, bad_input (ambiguous).
struct get_job {
  std::string id;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, get_job& x) {
  return f(x.id);
}

struct job_view {
  job_record record;
  bool has_result = false;
  job_result result;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, job_view& x) {
  return f(x.record, x.has_result, x.result);
}

/// Newest first. Empty filters match everything.
struct list_jobs {
  std::string status;
  std::string pattern;
  std::string submitted_by;
  /// The `next_cursor` of the page before; empty for the first.
  std::string cursor;
  std::uint32_t limit = 50;  ///< 1 to 1,000.
  /// The whole id of an array.
  std::string array_id = {};
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, list_jobs& x) {
  return f(x.status, x.pattern, x.submitted_by, x.cursor, x.limit, x.array_id);
}

/// The records come without their inputs' bytes.
struct job_page {
  std::vector<job_record> jobs;
  std::string next_cursor;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, job_page& x) {
  return f(x.jobs, x.next_cursor);
}

/// An array and where each of its jobs stands. `id` may be a unique prefix of 4 characters or more.
/// Errors: not_found (no such array, or retention has deleted its jobs), bad_input (ambiguous).
struct get_array {
  std::string id;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, get_array& x) {
  return f(x.id);
}

/// One job of an array.
struct array_element {
  std::string job_id;
  std::uint32_t index = 0;
  job_state state = job_state::pending;
  runtime::failure error;

  bool operator==(const array_element&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, array_element& x) {
  return f(x.job_id, x.index, x.state, x.error);
}

struct array_view {
  std::string id;
  /// By index.
  std::vector<array_element> elements;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, array_view& x) {
  return f(x.id, x.elements);
}

/// Every attempt of a job, oldest first.
struct get_executions {
  std::string job_id;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, get_executions& x) {
  return f(x.job_id);
}

struct execution_list {
  std::vector<execution_record> executions;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, execution_list& x) {
  return f(x.executions);
}

/// A job's events, in order.
struct get_history {
  std::string job_id;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, get_history& x) {
  return f(x.job_id);
}

struct event_list {
  std::vector<event> events;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, event_list& x) {
  return f(x.events);
}

/// The record that a job is rebuilt from: everything unfinished, oldest first, and the stored
/// outputs of a chained job's steps. Asked for by DISPATCHER, for all at its start (`job_id`
/// empty), and for one job whose actor crashed (no entry when that job is terminal).
struct load_unfinished {
  std::string job_id;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, load_unfinished& x) {
  return f(x.job_id);
}

struct unfinished_job {
  job_record record;
  /// Outputs of the steps 0 .. steps_done - 1.
  std::vector<models::tensor_list> step_outputs;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, unfinished_job& x) {
  return f(x.record, x.step_outputs);
}

/// The executions of a job that had not ended when it did.
struct unfinished_stragglers {
  std::string job_id;
  std::vector<execution_record> executions;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, unfinished_stragglers& x) {
  return f(x.job_id, x.executions);
}

struct unfinished_jobs {
  std::vector<unfinished_job> jobs;
  /// Ended jobs that nobody follows any more, though executions of theirs have not ended.
  std::vector<unfinished_stragglers> stragglers;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, unfinished_jobs& x) {
  return f(x.jobs, x.stragglers);
}

/// Totals of the store: jobs by state, executions, events.
struct get_totals {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, get_totals&) {
  return f();
}

struct store_totals {
  /// Indexed by job_state.
  std::vector<std::uint64_t> jobs_by_state;
  std::uint64_t executions = 0;
  std::uint64_t last_event = 0;
  bool read_only = false;
  /// Why: `store_full` or `store_corrupt`.
  runtime::error_code health = runtime::error_code::none;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, store_totals& x) {
  return f(x.jobs_by_state, x.executions, x.last_event, x.read_only, x.health);
}

/// Every node that was ever stored, by id: REGISTRY asks once, at its start.
struct load_nodes {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, load_nodes&) {
  return f();
}

struct stored_nodes {
  std::vector<node_record> nodes;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, stored_nodes& x) {
  return f(x.nodes);
}

// -- EVENTS
// ----------------------------------------------------------------------------------------

/// STORE tells EVENTS what has just become true. No reply.
struct events_committed {
  std::vector<event> events;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, events_committed& x) {
  return f(x.events);
}

/// Events after number `after`, oldest first, at most `max`.
struct read_events {
  std::uint64_t after = 0;
  std::uint32_t max = 1000;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, read_events& x) {
  return f(x.after, x.max);
}

}  // namespace dim::actors
