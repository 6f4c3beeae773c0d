#pragma once

#include <string>

#include "actors/store/database.hpp"
#include "actors/store/interface.hpp"
#include "runtime/actor_base.hpp"

namespace dim::actors {

/// Answers from snapshots of the database, so that reading never waits for a commit. Each request
/// has its own snapshot: it sees every commit that was acknowledged before it was sent.
struct queries_state {
  static inline const char* name = "QUERIES";
  using self_pointer = runtime::actor_self<queries_actor, queries_state>;

  /// Runs `read` on a snapshot.
  template <class Reply, class Read>
  caf::result<Reply> answer(Read read) const;

  /// Counts, and whether more can be written.
  caf::result<store_totals> totals() const;

  std::string describe() const;

  database_pointer database;
};

/// QUERIES, started detached by the root supervisor.
queries_actor::behavior_type queries(queries_state::self_pointer self, database_pointer database);

}  // namespace dim::actors
