#pragma once

#include <vector>

#include "runtime/actor_base.hpp"
#include "runtime/call_table.hpp"
#include "runtime/directory_messages.hpp"
#include "runtime/messages.hpp"

namespace dim::runtime {

/// Puts each actor behind its parent, with its depth. Actors whose parent is not in `lines` stand
/// at the top.
std::vector<std::pair<std::uint32_t, actor_line>> arrange_tree(std::vector<actor_line> lines);

/// DIRECTORY reads the table into which the actor base writes, so that it sees busy and hung actors
/// too, and asks single actors for their state.
struct directory_state {
  static inline const char* name = "DIRECTORY";
  using self_pointer = actor_self<directory_actor, directory_state>;

  explicit directory_state(self_pointer self) : self(self) {
  }

  actor_list list() const;
  caf::typed_response_promise<actor_details> inspect_one(std::uint64_t id);

  self_pointer self;
  call_table calls{1'024};
};

/// The behaviour of DIRECTORY.
directory_actor::behavior_type directory(directory_state::self_pointer self);

}  // namespace dim::runtime
