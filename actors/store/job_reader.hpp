#pragma once

#include <string>
#include <vector>

#include "actors/store/messages.hpp"
#include "actors/store/popularity_messages.hpp"
#include "runtime/errors.hpp"
#include "runtime/store.hpp"

/// Reads jobs out of one snapshot: the work of QUERIES, without an actor. Errors of all functions:
/// store_corrupt, and those that are named.
namespace dim::actors {

/// A job with its result and the inputs of at most 64 KiB; larger ones come detached. `id` may be a
/// unique prefix of 4 characters or more. Errors: not_found, bad_input (the prefix is too short, or
/// fits several jobs).
runtime::expected<job_view> read_job(const runtime::transaction& snapshot, const std::string& id);

/// A page of jobs, newest first, their inputs without bytes. Every filter is an index: where
/// several are given, their sorted lists of ids are crossed by leaping from one to the other, so
/// that the rarest filter decides how much is read. Errors: bad_input (filter, cursor, limit).
runtime::expected<job_page> read_page(const runtime::transaction& snapshot,
                                      const list_jobs& request);

/// An array and the states of its jobs. `id` may be a unique prefix of 4 characters or more.
/// Errors: not_found, bad_input (as for a job).
runtime::expected<array_view> read_array(const runtime::transaction& snapshot,
                                         const std::string& id);

/// All jobs that are not terminal, oldest first; with a `job_id` only that one, unless it is
/// terminal.
runtime::expected<unfinished_jobs> read_unfinished(const runtime::transaction& snapshot,
                                                   const std::string& job_id);

/// Every attempt of a job, oldest first. Errors: not_found (no such job).
runtime::expected<execution_list> read_executions(const runtime::transaction& snapshot,
                                                  const std::string& job_id);

/// Every event of a job, in order. Errors: not_found (no such job).
runtime::expected<event_list> read_history(const runtime::transaction& snapshot,
                                           const std::string& job_id);

/// Every node that was ever stored, by id.
runtime::expected<stored_nodes> read_nodes(const runtime::transaction& snapshot);

/// The sizes of the tables; `read_only` is not set.
runtime::expected<store_totals> read_totals(const runtime::transaction& snapshot);

/// The events after number `after`, at most `max`, oldest first.
runtime::expected<event_list> read_events_after(const runtime::transaction& snapshot,
                                                std::uint64_t after, std::uint32_t max);

/// The number of the last event; 0 before the first.
runtime::expected<std::uint64_t> read_last_event(const runtime::transaction& snapshot);

/// The popularity of models as it was stored last; of none when it never was.
runtime::expected<popular_models> read_popularity(const runtime::transaction& snapshot);

}  // namespace dim::actors
