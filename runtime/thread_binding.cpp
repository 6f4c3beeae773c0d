#include "runtime/thread_binding.hpp"

namespace dim::runtime {

namespace {

/// The cores of a bound thread, and those that it had before.
struct binding {
  cpu_set_t bound;
  cpu_set_t before;
  bool is_bound = false;
};

thread_local binding of_this_thread;

}  // namespace

std::vector<std::uint32_t> cores_of_this_thread() {
  std::vector<std::uint32_t> cores;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof(set), &set) != 0)
    return cores;
  for (std::uint32_t core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &set))
      cores.push_back(core);
  return cores;
}

thread_binding::thread_binding(const std::vector<std::uint32_t>& cores) {
  auto& mine = of_this_thread;
  CPU_ZERO(&mine.bound);
  for (auto core : cores)
    if (core < CPU_SETSIZE)
      CPU_SET(core, &mine.bound);
  if (cores.empty() || ::sched_getaffinity(0, sizeof(mine.before), &mine.before) != 0)
    return;
  is_bound_ = mine.is_bound = ::sched_setaffinity(0, sizeof(mine.bound), &mine.bound) == 0;
}

thread_binding::~thread_binding() {
  auto& mine = of_this_thread;
  if (!is_bound_)
    return;
  ::sched_setaffinity(0, sizeof(mine.before), &mine.before);
  mine.is_bound = false;
}

unbound_scope::unbound_scope() {
  auto& mine = of_this_thread;
  if (mine.is_bound)
    ::sched_setaffinity(0, sizeof(mine.before), &mine.before);
}

unbound_scope::~unbound_scope() {
  auto& mine = of_this_thread;
  if (mine.is_bound)
    ::sched_setaffinity(0, sizeof(mine.bound), &mine.bound);
}

}  // namespace dim::runtime
