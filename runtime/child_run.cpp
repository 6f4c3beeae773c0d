#include "runtime/child_run.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include "runtime/descriptor.hpp"

namespace dim::runtime {

namespace {

constexpr std::size_t error_text_max = 4096;
/// A child that has ended can have left its pipe to a child of its own: what is not there by then
/// is not waited for.
constexpr int rest_wait_ms = 100;

tl::unexpected<failure> fail_start(const child_run& run, int problem) {
  return fail(error_code::internal, "the program " + run.program + " can not be started: "
                                      + std::generic_category().message(problem));
}

expected<pid_t> start(const child_run& run, int error_pipe) {
  std::vector<char*> words{const_cast<char*>(run.program.c_str())};
  for (const auto& argument : run.arguments)
    words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, error_pipe, STDERR_FILENO);
  // The threads of an actor system block signals, which the child would inherit.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t child = 0;
  const int problem
    = ::posix_spawn(&child, run.program.c_str(), &actions, &attributes, words.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (problem != 0)
    return fail_start(run, problem);
  return child;
}

/// Reads what is there; false at the end of the pipe.
bool read_some(int pipe, std::string& text) {
  std::array<char, 4096> block;
  const auto size = ::read(pipe, block.data(), block.size());
  if (size < 0)
    return errno == EINTR || errno == EAGAIN;
  text.append(block.data(), static_cast<std::size_t>(size));
  if (text.size() > error_text_max)
    text.erase(0, text.size() - error_text_max);
  return size > 0;
}

/// Gathers the child's words until it ends or its time is over; false when it is over.
bool wait_for_end(int child, int pipe, std::chrono::milliseconds time_max, std::string& text) {
  using clock = std::chrono::steady_clock;
  const auto deadline = clock::now() + time_max;
  std::array<pollfd, 2> watched{{{child, POLLIN, 0}, {pipe, POLLIN, 0}}};
  while (true) {
    int wait_ms = -1;
    if (time_max.count() > 0) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now());
      wait_ms = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1 << 30));
    }
    const int ready = ::poll(watched.data(), watched.size(), wait_ms);
    if (ready == 0)
      return false;
    if (watched[1].revents != 0 && !read_some(pipe, text))
      watched[1].fd = -1;
    if (watched[0].revents != 0)
      return true;
  }
}

void read_rest(int pipe, std::string& text) {
  pollfd watched{pipe, POLLIN, 0};
  while (::poll(&watched, 1, rest_wait_ms) > 0)
    if (!read_some(pipe, text))
      return;
}

/// Waits for the end of `child`, whose standard error is `error_pipe`, and kills it when its time
/// is over. Errors: internal (it can not be watched; it is killed).
expected<child_end> await_child(pid_t child, int error_pipe, std::chrono::milliseconds time_max) {
  descriptor process{static_cast<int>(::syscall(SYS_pidfd_open, child, 0))};
  const int problem = errno;
  child_end end;
  end.timed_out
    = process.number() >= 0
      && !wait_for_end(process.number(), error_pipe, time_max, end.error_text);
  if (end.timed_out || process.number() < 0)
    ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (process.number() < 0)
    return fail(error_code::internal, "a child process can not be watched: "
                                        + std::generic_category().message(problem));
  read_rest(error_pipe, end.error_text);
  end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  end.status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  return end;
}

/// The copy's side: never returns.
[[noreturn]] void work_as_copy(const std::function<int()>& work, pid_t parent, int error_pipe) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The parent may have ended before that.
  if (::getppid() != parent)
    ::_exit(1);
  ::dup2(error_pipe, STDERR_FILENO);
  ::_exit(work());
}

}  // namespace

expected<child_end> run_to_end(const child_run& run) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return fail_start(run, errno);
  descriptor reading{ends[0]};
  descriptor writing{ends[1]};
  auto child = start(run, writing.number());
  if (!child)
    return tl::unexpected(std::move(child.error()));
  writing.close();
  return await_child(*child, reading.number(), run.time_max);
}

expected<child_end> run_in_copy(const std::function<int()>& work,
                                std::chrono::milliseconds time_max) {
  std::array<int, 2> ends{};
  auto can_not = [](int problem) {
    return fail(error_code::internal, "this process can not be copied: "
                                        + std::generic_category().message(problem));
  };
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return can_not(errno);
  descriptor reading{ends[0]};
  descriptor writing{ends[1]};
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0)
    work_as_copy(work, parent, writing.number());
  if (child < 0)
    return can_not(errno);
  writing.close();
  return await_child(child, reading.number(), time_max);
}

}  // namespace dim::runtime
