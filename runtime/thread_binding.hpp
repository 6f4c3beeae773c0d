#pragma once

#include <cstdint>
#include <vector>

#include "runtime/errors.hpp"

namespace dim::runtime {

/// Cores that the calling thread may run on, ascending.
std::vector<std::uint32_t> cores_of_this_thread();

/// Keeps the calling thread on these cores from now on. Errors: bad_input (no core, or one that it
/// may not use), internal.
expected<void> bind_this_thread(const std::vector<std::uint32_t>& cores);

/// Lets a bound thread run, while this lives, where it could before it was bound: threads and
/// processes inherit the cores of the one that starts them.
class unbound_scope {
public:
  unbound_scope();
  ~unbound_scope();
  unbound_scope(const unbound_scope&) = delete;
  unbound_scope& operator=(const unbound_scope&) = delete;
};

}  // namespace dim::runtime
