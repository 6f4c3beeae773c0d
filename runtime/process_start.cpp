#include "runtime/process_start.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <map>
#include <system_error>

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/thread_binding.hpp"

namespace dim::runtime {

namespace {

/// All that the child needs between its start and exec, made before, since nothing may be allocated
/// then.
struct child_plan {
  const char* program = nullptr;
  std::vector<char*> arguments;
  std::vector<char*> environment;
  cpu_set_t cpus;
  bool has_cpus = false;
  int error_pipe = -1;
  /// What it gets as 3, 4, ...; and where it keeps them meanwhile.
  std::vector<int> descriptors;
  std::vector<int> moved;
  pid_t parent = 0;
};

constexpr int first_descriptor = STDERR_FILENO + 1;

/// The words of the plan, which outlive it.
struct child_words {
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
};

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> result;
  for (auto& word : words)
    result.push_back(word.data());
  result.push_back(nullptr);
  return result;
}

child_words words_of(const process_spec& spec) {
  child_words words;
  words.arguments.push_back(spec.program);
  words.arguments.insert(words.arguments.end(), spec.arguments.begin(), spec.arguments.end());
  std::map<std::string, std::string> variables;
  for (auto** each = environ; each != nullptr && *each != nullptr; ++each) {
    std::string line = *each;
    auto equals = line.find('=');
    if (equals != std::string::npos)
      variables[line.substr(0, equals)] = line.substr(equals + 1);
  }
  for (auto& [name, value] : spec.environment)
    variables[name] = value;
  for (auto& [name, value] : variables)
    words.environment.push_back(name + "=" + value);
  return words;
}

/// Runs in the child: gives it what it inherits, and closes all else. Whether that went well.
bool pass_descriptors(child_plan& plan) {
  auto end = first_descriptor + static_cast<int>(plan.descriptors.size());
  // First out of the way of each other.
  for (std::size_t place = 0; place < plan.descriptors.size(); ++place) {
    plan.moved[place] = ::fcntl(plan.descriptors[place], F_DUPFD, end);
    if (plan.moved[place] < 0)
      return false;
  }
  for (std::size_t place = 0; place < plan.moved.size(); ++place)
    if (::dup2(plan.moved[place], first_descriptor + static_cast<int>(place)) < 0)
      return false;
  ::syscall(SYS_close_range, static_cast<unsigned>(end), ~0u, 0u);
  return true;
}

/// Runs in the child, which shares this process's memory until exec: only system calls. Returns the
/// error number; does not return when all goes well.
int become(child_plan& plan) {
  // A process that has lost its parent before this line would never be told.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
    return errno;
  if (::getppid() != plan.parent)
    return ESRCH;
  ::setsid();
  auto nothing = ::open("/dev/null", O_RDWR);
  if (nothing < 0 || ::dup2(nothing, STDIN_FILENO) < 0 || ::dup2(nothing, STDOUT_FILENO) < 0
      || ::dup2(plan.error_pipe, STDERR_FILENO) < 0)
    return errno;
  if (!pass_descriptors(plan))
    return errno;
  if (plan.has_cpus && ::sched_setaffinity(0, sizeof(plan.cpus), &plan.cpus) != 0)
    return errno;
  // Handlers of this process must not run in the child; what is ignored would stay ignored.
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number)
    ::sigaction(number, &standard, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(plan.program, plan.arguments.data(), plan.environment.data());
  return errno;
}

/// vfork, since copying the page tables of a process with large models takes long. `problem` is
/// where the child, which shares this memory, leaves its error number.
pid_t start_child(child_plan& plan, volatile int& problem) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  auto pid = ::vfork();
  if (pid == 0) {
    problem = become(plan);
    ::_exit(127);
  }
  if (pid < 0)
    problem = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return pid;
}

tl::unexpected<failure> can_not_start(const std::string& program, int problem) {
  return fail(error_code::unavailable,
              "can not start " + program + ": " + std::generic_category().message(problem));
}

}  // namespace

expected<started_process> start_process(const process_spec& spec) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0)
    return can_not_start(spec.program, errno);
  ::fcntl(pipe[0], F_SETFL, O_NONBLOCK);
  auto words = words_of(spec);
  child_plan plan;
  plan.program = spec.program.c_str();
  plan.arguments = pointers_to(words.arguments);
  plan.environment = pointers_to(words.environment);
  plan.error_pipe = pipe[1];
  plan.descriptors = spec.descriptors;
  plan.moved.resize(spec.descriptors.size());
  plan.parent = ::getpid();
  CPU_ZERO(&plan.cpus);
  for (auto cpu : spec.cpus)
    CPU_SET(cpu, &plan.cpus);
  plan.has_cpus = !spec.cpus.empty();
  volatile int problem = 0;
  auto pid = [&] {
    unbound_scope everywhere;
    return start_child(plan, problem);
  }();
  ::close(pipe[1]);
  auto pidfd = pid > 0 ? static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)) : -1;
  if (problem == 0 && pidfd < 0)
    problem = errno;
  if (problem == 0)
    return started_process{pid, pidfd, pipe[0]};
  ::close(pipe[0]);
  if (pidfd >= 0)
    ::close(pidfd);
  if (pid > 0) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  return can_not_start(spec.program, problem);
}

}  // namespace dim::runtime
