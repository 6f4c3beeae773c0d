#pragma once

#include <sched.h>

#include <cstdint>
#include <vector>

namespace dim::runtime {

/// Cores that the calling thread may run on, ascending.
std::vector<std::uint32_t> cores_of_this_thread();

/// Keeps the calling thread on some cores while it lives. In that thread; one at a time.
class thread_binding {
public:
  /// No cores, or cores that the thread may not use: it is not bound.
  explicit thread_binding(const std::vector<std::uint32_t>& cores);
  ~thread_binding();
  thread_binding(const thread_binding&) = delete;
  thread_binding& operator=(const thread_binding&) = delete;

private:
  bool is_bound_ = false;
};

/// Lets a bound thread run everywhere while it lives: threads and processes inherit the cores of
/// the one that starts them.
class unbound_scope {
public:
  unbound_scope();
  ~unbound_scope();
  unbound_scope(const unbound_scope&) = delete;
  unbound_scope& operator=(const unbound_scope&) = delete;
};

}  // namespace dim::runtime
