#include "runtime/process_signal.hpp"

#include <cerrno>
#include <csignal>
#include <ctime>

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <limits>
#include <system_error>

namespace dim::runtime {

namespace {

/// What the child needs: plain memory, since it may not allocate.
struct order {
  timespec pause;
  int number;
};

/// Closes everything but `kept`: the child must not hold a port or a lock of its parent.
void close_all_but(int kept) {
  constexpr auto last = std::numeric_limits<unsigned>::max();
  const auto number = static_cast<unsigned>(kept);
  if (number > 0)
    ::syscall(SYS_close_range, 0U, number - 1, 0U);
  ::syscall(SYS_close_range, number + 1, last, 0U);
}

/// Runs in a child of a process with threads: only what is safe in a signal handler.
[[noreturn]] void send_all(int target, const order* orders, std::size_t count) {
  close_all_but(target);
  ::setsid();
  for (std::size_t i = 0; i < count; ++i) {
    auto left = orders[i].pause;
    while (::nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
    if (::syscall(SYS_pidfd_send_signal, target, orders[i].number, nullptr, 0U) != 0)
      break;
  }
  ::_exit(0);
}

tl::unexpected<failure> fail_with(int number, const char* what) {
  const auto code = number == ESRCH ? error_code::not_found : error_code::internal;
  return fail(code, std::string{what} + ": " + std::generic_category().message(number));
}

}  // namespace

expected<void> signal_later(std::int64_t pid, const std::vector<later_signal>& signals) {
  std::vector<order> orders;
  for (const auto& each : signals) {
    const auto ms = each.pause.count();
    orders.push_back(
      {{static_cast<std::time_t>(ms / 1'000), static_cast<long>(ms % 1'000) * 1'000'000},
       each.number});
  }
  const auto target = static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0U));
  if (target < 0)
    return fail_with(errno, "can not find the process");
  const auto child = ::fork();
  if (child == 0) {
    // The grandchild is nobody's to wait for.
    if (::fork() == 0)
      send_all(target, orders.data(), orders.size());
    ::_exit(0);
  }
  const auto problem = errno;
  ::close(target);
  if (child < 0)
    return fail_with(problem, "can not start the process that sends the signal");
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return {};
}

}  // namespace dim::runtime
