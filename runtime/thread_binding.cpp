#include "runtime/thread_binding.hpp"

#include <cerrno>
#include <string>
#include <system_error>

#include <sched.h>

namespace dim::runtime {

namespace {

/// The cores of a bound thread, and those that it had before it was bound for the first time.
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

expected<void> bind_this_thread(const std::vector<std::uint32_t>& cores) {
  cpu_set_t wanted;
  cpu_set_t before;
  CPU_ZERO(&wanted);
  for (auto core : cores) {
    if (core >= CPU_SETSIZE)
      return fail(error_code::bad_input, "there is no core " + std::to_string(core));
    CPU_SET(core, &wanted);
  }
  auto is_set = ::sched_getaffinity(0, sizeof(before), &before) == 0
                && ::sched_setaffinity(0, sizeof(wanted), &wanted) == 0;
  if (!is_set && errno == EINVAL)
    return fail(error_code::bad_input, "this process may not run on these cores");
  if (!is_set)
    return fail(error_code::internal,
                "can not bind the thread: " + std::generic_category().message(errno));
  auto& mine = of_this_thread;
  if (!mine.is_bound)
    mine.before = before;
  mine.bound = wanted;
  mine.is_bound = true;
  return {};
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
