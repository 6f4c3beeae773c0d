#include "tests/cluster/process.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace dim::tests {

namespace {

using clock_type = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr auto poll_pause = milliseconds{10};
constexpr auto kill_limit = std::chrono::seconds{10};

std::string text_of(const std::filesystem::path& file) {
  std::ifstream input{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{input}, {}};
}

}  // namespace

process::process(const std::string& program, const std::vector<std::string>& arguments,
                 const std::filesystem::path& log) {
  std::vector<std::string> words{program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (auto& word : words)
    pointers.push_back(word.data());
  pointers.push_back(nullptr);
  auto output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  auto child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    ::execv(program.c_str(), pointers.data());
    ::_exit(127);
  }
  ::close(output);
  pid_ = child;
}

process::process(process&& other) noexcept
  : pid_(std::exchange(other.pid_, 0)), status_(std::exchange(other.status_, std::nullopt)) {
}

process& process::operator=(process&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(status_, other.status_);
  return *this;
}

process::~process() {
  kill();
}

bool process::is_running() {
  return pid_ > 0 && !wait(milliseconds{0});
}

void process::signal(int number) const {
  if (pid_ > 0 && !status_)
    ::kill(static_cast<pid_t>(pid_), number);
}

void process::kill() {
  signal(SIGKILL);
  if (pid_ > 0)
    wait(kill_limit);
}

void process::freeze() const {
  signal(SIGSTOP);
}

void process::thaw() const {
  signal(SIGCONT);
}

std::optional<int> process::wait(milliseconds limit) {
  auto end = clock_type::now() + limit;
  while (!status_) {
    int status = 0;
    auto ended = ::waitpid(static_cast<pid_t>(pid_), &status, WNOHANG);
    if (ended == pid_)
      status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    else if (ended < 0)
      status_ = -1;
    else if (clock_type::now() >= end)
      return std::nullopt;
    else
      std::this_thread::sleep_for(poll_pause);
  }
  return status_;
}

std::vector<child_process> children_of(std::int64_t parent) {
  std::vector<child_process> result;
  auto tasks = std::filesystem::path{"/proc"} / std::to_string(parent) / "task";
  std::error_code gone;
  for (std::filesystem::directory_iterator task{tasks, gone}, end; !gone && task != end;
       task.increment(gone)) {
    std::istringstream pids{text_of(task->path() / "children")};
    for (std::int64_t pid = 0; pids >> pid;) {
      auto command = text_of("/proc/" + std::to_string(pid) + "/cmdline");
      std::replace(command.begin(), command.end(), '\0', ' ');
      // A child that has ended and is not waited for yet has no command line.
      if (!command.empty())
        result.push_back({pid, command});
    }
  }
  std::sort(result.begin(), result.end(),
            [](const child_process& a, const child_process& b) { return a.pid < b.pid; });
  return result;
}

std::string program_path(const std::string& name) {
  return std::string{DIM_BINARY_DIR} + "/bin/" + name;
}

std::string tail_of(const std::filesystem::path& file, std::size_t size) {
  auto text = text_of(file);
  return text.size() <= size ? text : text.substr(text.size() - size);
}

}  // namespace dim::tests
