#include "runtime/launcher.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/machine.hpp"

namespace dim::runtime {

namespace {

/// How often a process with a memory limit is looked at.
constexpr auto memory_period = std::chrono::milliseconds{100};

/// A killed process that does not end within this (it hangs in the kernel) is left behind.
constexpr auto last_wait = std::chrono::seconds{5};

struct running_process {
  process_spec spec;
  launcher::callbacks tell;
  started_process at;
  process_end end;
  bool was_killed = false;
};

void kill_group(pid_t pid) {
  ::kill(-pid, SIGKILL);
  ::kill(pid, SIGKILL);
}

/// Reads what is there, and keeps the end of it. False when nothing more will come.
bool read_error_text(running_process& process) {
  std::array<char, 4096> buffer{};
  for (;;) {
    auto size = ::read(process.at.error_pipe, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR)
      continue;
    if (size <= 0)
      return size < 0 && errno == EAGAIN;
    auto& text = process.end.error_text;
    text.append(buffer.data(), static_cast<std::size_t>(size));
    if (text.size() > process.spec.error_text_max)
      text.erase(0, text.size() - process.spec.error_text_max);
  }
}

void close_pipe(running_process& process) {
  if (process.at.error_pipe >= 0)
    ::close(process.at.error_pipe);
  process.at.error_pipe = -1;
}

}  // namespace

/// The thread with its children, and the wishes that wait for it.
class launcher::thread {
public:
  thread() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), thread_([this] { run(); }) {
  }

  ~thread() {
    post([this] { stopping_ = true; });
    thread_.join();
    ::close(wake_);
  }

  process_id next_id() {
    std::lock_guard guard{mutex_};
    return ++last_id_;
  }

  void post(std::function<void()> wish) {
    {
      std::lock_guard guard{mutex_};
      wishes_.push_back(std::move(wish));
    }
    std::uint64_t one = 1;
    [[maybe_unused]] auto written = ::write(wake_, &one, sizeof(one));
  }

  void start(process_id id, process_spec spec, callbacks tell);
  void kill(process_id id, const std::string& reason, end_cause cause);

private:
  void run();
  void take_wishes();
  void wait_for_events();
  void watch_memory();
  bool has_limits() const;
  void collect(process_id id);
  void end_all();

  int wake_;
  std::mutex mutex_;
  std::vector<std::function<void()>> wishes_;
  process_id last_id_ = 0;
  bool stopping_ = false;
  std::map<process_id, running_process> children_;
  std::chrono::steady_clock::time_point memory_due_;
  std::thread thread_;
};

void launcher::thread::start(process_id id, process_spec spec, callbacks tell) {
  auto started = start_process(spec);
  if (!started) {
    process_end end;
    end.cause = end_cause::not_started;
    end.reason = started.error().message;
    return tell.ended(end);
  }
  auto& child = children_[id];
  child.spec = std::move(spec);
  child.tell = std::move(tell);
  child.at = *started;
  if (child.tell.started)
    child.tell.started(child.at.pid);
}

void launcher::thread::kill(process_id id, const std::string& reason, end_cause cause) {
  auto found = children_.find(id);
  if (found == children_.end() || found->second.was_killed)
    return;
  auto& child = found->second;
  child.was_killed = true;
  child.end.cause = cause;
  child.end.reason = reason;
  kill_group(child.at.pid);
}

void launcher::thread::run() {
  for (;;) {
    take_wishes();
    if (stopping_)
      return end_all();
    wait_for_events();
    watch_memory();
  }
}

void launcher::thread::take_wishes() {
  std::uint64_t count = 0;
  [[maybe_unused]] auto size = ::read(wake_, &count, sizeof(count));
  std::vector<std::function<void()>> wishes;
  {
    std::lock_guard guard{mutex_};
    wishes.swap(wishes_);
  }
  for (auto& wish : wishes)
    wish();
}

bool launcher::thread::has_limits() const {
  return std::any_of(children_.begin(), children_.end(),
                     [](auto& each) { return each.second.spec.memory_max_bytes > 0; });
}

void launcher::thread::wait_for_events() {
  std::vector<pollfd> watched{{wake_, POLLIN, 0}};
  std::vector<process_id> ids;
  for (auto& [id, child] : children_) {
    watched.push_back({child.at.pidfd, POLLIN, 0});
    watched.push_back({child.at.error_pipe, POLLIN, 0});
    ids.push_back(id);
  }
  auto timeout = has_limits() ? static_cast<int>(memory_period.count()) : -1;
  if (::poll(watched.data(), watched.size(), timeout) <= 0)
    return;
  for (std::size_t index = 0; index < ids.size(); ++index) {
    auto& child = children_[ids[index]];
    if (watched[2 * index + 2].revents != 0 && !read_error_text(child))
      close_pipe(child);
    if (watched[2 * index + 1].revents != 0)
      collect(ids[index]);
  }
}

void launcher::thread::watch_memory() {
  auto now = std::chrono::steady_clock::now();
  if (now < memory_due_)
    return;
  memory_due_ = now + memory_period;
  for (auto& [id, child] : children_) {
    auto used = child.spec.memory_max_bytes > 0 ? process_memory(child.at.pid) : std::nullopt;
    if (!used)
      continue;
    child.end.memory_peak_bytes = std::max(child.end.memory_peak_bytes, *used);
    if (*used > child.spec.memory_max_bytes)
      kill(id, std::to_string(*used) + " of " + std::to_string(child.spec.memory_max_bytes)
                 + " bytes",
           end_cause::memory_limit);
  }
}

void launcher::thread::collect(process_id id) {
  auto& child = children_[id];
  // What it has started itself ends with it. Its own number is not free before it is waited for.
  ::kill(-child.at.pid, SIGKILL);
  int status = 0;
  auto reaped = ::waitpid(child.at.pid, &status, WNOHANG);
  if (reaped == 0)
    return;
  if (reaped < 0)
    status = W_EXITCODE(255, 0);
  if (child.at.error_pipe >= 0)
    read_error_text(child);
  close_pipe(child);
  ::close(child.at.pidfd);
  auto was_signalled = WIFSIGNALED(status);
  child.end.status = was_signalled ? WTERMSIG(status) : WEXITSTATUS(status);
  // One that ended by itself just before its kill ended by itself.
  if (!child.was_killed || !was_signalled)
    child.end.cause = was_signalled ? end_cause::signalled : end_cause::exited;
  auto ended = std::move(child);
  children_.erase(id);
  ended.tell.ended(ended.end);
}

void launcher::thread::end_all() {
  auto deadline = std::chrono::steady_clock::now() + last_wait;
  for (auto& [id, child] : children_)
    kill_group(child.at.pid);
  for (auto& [id, child] : children_) {
    auto left = std::chrono::ceil<std::chrono::milliseconds>(
      deadline - std::chrono::steady_clock::now());
    pollfd watched{child.at.pidfd, POLLIN, 0};
    ::poll(&watched, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    ::waitpid(child.at.pid, nullptr, WNOHANG);
    ::close(child.at.pidfd);
    close_pipe(child);
  }
  children_.clear();
}

launcher::launcher() : thread_(std::make_unique<thread>()) {
}

launcher::~launcher() = default;

process_id launcher::start(process_spec spec, callbacks tell) {
  auto id = thread_->next_id();
  thread_->post([this, id, spec = std::move(spec), tell = std::move(tell)] {
    thread_->start(id, spec, tell);
  });
  return id;
}

void launcher::kill(process_id id, std::string reason) {
  thread_->post([this, id, reason = std::move(reason)] {
    thread_->kill(id, reason, end_cause::killed);
  });
}

std::string describe(const process_end& end) {
  switch (end.cause) {
    case end_cause::exited:
      return "exit status " + std::to_string(end.status);
    case end_cause::signalled:
      return "signal " + std::to_string(end.status) + " (" + ::strsignal(end.status) + ")";
    case end_cause::killed:
      return "killed: " + end.reason;
    case end_cause::memory_limit:
      return "memory limit: " + end.reason;
    default:
      return end.reason;
  }
}

}  // namespace dim::runtime
