#include "runtime/launcher.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <future>
#include <string>

#include <doctest/doctest.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace dim;
using runtime::end_cause;

namespace {

constexpr auto patience = std::chrono::seconds{60};

/// A launched shell command, and the futures of its start and end.
class launched {
public:
  launched(runtime::launcher& by, runtime::process_spec spec)
    : by_(by),
      id_(by.start(std::move(spec),
                   {[this](std::int64_t pid) { pid_.set_value(pid); },
                    [this](const runtime::process_end& end) { end_.set_value(end); }})) {
  }

  std::int64_t pid() {
    auto future = pid_.get_future();
    REQUIRE(future.wait_for(patience) == std::future_status::ready);
    return future.get();
  }

  runtime::process_end end() {
    auto future = end_.get_future();
    REQUIRE(future.wait_for(patience) == std::future_status::ready);
    return future.get();
  }

  void kill(const std::string& reason) {
    by_.kill(id_, reason);
  }

private:
  std::promise<std::int64_t> pid_;
  std::promise<runtime::process_end> end_;
  runtime::launcher& by_;
  runtime::process_id id_;
};

runtime::process_spec shell(const std::string& command) {
  runtime::process_spec spec;
  spec.program = "/bin/sh";
  spec.arguments = {"-c", command};
  return spec;
}

/// Whether the process has ended, or ends within a minute.
bool ends_soon(std::int64_t pid) {
  auto pidfd = static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0));
  if (pidfd < 0)
    return true;
  pollfd watched{pidfd, POLLIN, 0};
  auto ready = ::poll(&watched, 1, 60'000);
  ::close(pidfd);
  return ready == 1;
}

}  // namespace

TEST_CASE("a process that exits tells its status and what it said on standard error") {
  runtime::launcher by;
  launched child{by, shell("echo lost; echo kept >&2; exit 3")};
  auto end = child.end();
  CHECK(end.cause == end_cause::exited);
  CHECK(end.status == 3);
  CHECK(end.error_text == "kept\n");
  CHECK(runtime::describe(end) == "exit status 3");
}

TEST_CASE("a process gets the descriptors that it is given, by number, and no others") {
  std::array<int, 2> first{};
  std::array<int, 2> second{};
  REQUIRE(::pipe2(first.data(), O_CLOEXEC) == 0);
  REQUIRE(::pipe2(second.data(), O_CLOEXEC) == 0);
  runtime::launcher by;
  auto spec = shell("echo one >&3; echo two >&4; ls /proc/self/fd | grep -v 255 | wc -l >&2");
  // In the other order than their numbers, so that each stands where the other is to go.
  spec.descriptors = {second[1], first[1]};
  launched child{by, spec};
  auto end = child.end();
  CHECK(end.cause == end_cause::exited);
  auto text_in = [](int pipe) {
    std::array<char, 16> text{};
    auto size = ::read(pipe, text.data(), text.size());
    return std::string(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  };
  CHECK(text_in(second[0]) == "one\n");
  CHECK(text_in(first[0]) == "two\n");
  // Those three, its input and output, and the folder that is read.
  CHECK(end.error_text == "6\n");
  for (auto number : {first[0], first[1], second[0], second[1]})
    ::close(number);
}

TEST_CASE("a process that a signal ends tells which") {
  runtime::launcher by;
  launched child{by, shell("kill -TERM $$")};
  auto end = child.end();
  CHECK(end.cause == end_cause::signalled);
  CHECK(end.status == SIGTERM);
  CHECK(runtime::describe(end).find("signal 15") == 0);
}

TEST_CASE("only the end of a long error text is kept") {
  runtime::launcher by;
  auto spec = shell("i=0; while [ $i -lt 20000 ]; do echo line $i >&2; i=$((i+1)); done");
  spec.error_text_max = 100;
  launched child{by, spec};
  auto end = child.end();
  CHECK(end.error_text.size() == 100);
  CHECK(end.error_text.substr(end.error_text.size() - 11) == "line 19999\n");
}

TEST_CASE("a killed process tells the reason it was killed for") {
  runtime::launcher by;
  launched child{by, shell("sleep 600")};
  CHECK(child.pid() > 0);
  child.kill("agent timeout");
  auto end = child.end();
  CHECK(end.cause == end_cause::killed);
  CHECK(end.status == SIGKILL);
  CHECK(runtime::describe(end) == "killed: agent timeout");
}

TEST_CASE("what a process has started itself ends with it") {
  runtime::launcher by;
  auto end = launched{by, shell("sleep 600 & echo $! >&2")}.end();
  CHECK(end.cause == end_cause::exited);
  REQUIRE_FALSE(end.error_text.empty());
  CHECK(ends_soon(std::stoll(end.error_text)));
}

TEST_CASE("a process beyond its memory limit is killed, with both numbers") {
  runtime::launcher by;
  auto spec = shell("x=$(head -c 100000000 /dev/zero | tr '\\0' x); sleep 600");
  spec.memory_max_bytes = 40 << 20;
  launched child{by, spec};
  auto end = child.end();
  CHECK(end.cause == end_cause::memory_limit);
  CHECK(end.memory_peak_bytes > spec.memory_max_bytes);
  CHECK(runtime::describe(end).find("of 41943040 bytes") != std::string::npos);
}

TEST_CASE("a program that is not there ends at once with words") {
  runtime::launcher by;
  runtime::process_spec spec;
  spec.program = "/no/such/program";
  auto end = launched{by, spec}.end();
  CHECK(end.cause == end_cause::not_started);
  CHECK(end.reason == "can not start /no/such/program: No such file or directory");
}

TEST_CASE("arguments and variables arrive as they are, and nothing else is open") {
  runtime::launcher by;
  auto spec = shell("printf '%s|%s|' \"$DIM_TEST\" \"$1\" >&2; ls /proc/$$/fd | tr '\\n' ' ' >&2");
  spec.arguments.insert(spec.arguments.end(), {"sh", "two words; $(not run)"});
  spec.environment = {{"DIM_TEST", "a=b c"}};
  auto end = launched{by, spec}.end();
  CHECK(end.error_text.substr(0, 28) == "a=b c|two words; $(not run)|");
  CHECK(end.error_text.substr(28, 6) == "0 1 2 ");
}

TEST_CASE("a process runs on the cores it was given") {
  runtime::launcher by;
  auto spec = shell("grep Cpus_allowed_list /proc/self/status >&2");
  spec.cpus = {0};
  CHECK(launched{by, spec}.end().error_text == "Cpus_allowed_list:\t0\n");
}

TEST_CASE("many processes end independently, and none is left as a zombie") {
  runtime::launcher by;
  std::vector<std::unique_ptr<launched>> children;
  for (int index = 0; index < 50; ++index)
    children.push_back(
      std::make_unique<launched>(by, shell("exit " + std::to_string(index % 7))));
  for (int index = 0; index < 50; ++index)
    CHECK(children[static_cast<std::size_t>(index)]->end().status == index % 7);
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
}

TEST_CASE("a launcher that ends kills its children") {
  auto by = std::make_unique<runtime::launcher>();
  std::promise<std::int64_t> pid;
  by->start(shell("sleep 600"), {[&](std::int64_t x) { pid.set_value(x); },
                                 [](const runtime::process_end&) {}});
  auto child = pid.get_future().get();
  by.reset();
  CHECK(ends_soon(child));
}

TEST_CASE("a parent that is killed takes its children along") {
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  auto parent = ::fork();
  if (parent == 0) {
    runtime::launcher by;
    by.start(shell("sleep 600"),
             {[&](std::int64_t pid) {
                [[maybe_unused]] auto written = ::write(pipe[1], &pid, sizeof(pid));
              },
              [](const runtime::process_end&) {}});
    for (;;)
      ::pause();
  }
  std::int64_t child = 0;
  REQUIRE(::read(pipe[0], &child, sizeof(child)) == sizeof(child));
  CHECK(child > 0);
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  CHECK(ends_soon(child));
  ::close(pipe[0]);
  ::close(pipe[1]);
}
