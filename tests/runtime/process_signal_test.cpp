#include "runtime/process_signal.hpp"

#include <csignal>

#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "runtime/name_pattern.hpp"

using namespace dim::runtime;
using namespace std::chrono_literals;

namespace {

/// A child that waits for a signal for ever.
pid_t start_waiting_child() {
  const auto child = ::fork();
  if (child == 0)
    for (;;)
      ::pause();
  return child;
}

}  // namespace

TEST_CASE("a process is frozen, woken and killed by signals that are sent later") {
  const auto child = start_waiting_child();
  REQUIRE(signal_later(child, {{1ms, SIGSTOP}, {5ms, SIGCONT}, {5ms, SIGKILL}}).has_value());
  int status = 0;
  REQUIRE(::waitpid(child, &status, WUNTRACED) == child);
  CHECK(WIFSTOPPED(status));
  REQUIRE(::waitpid(child, &status, WCONTINUED) == child);
  CHECK(WIFCONTINUED(status));
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGKILL);
}

TEST_CASE("a process that is not there is not found") {
  const auto child = start_waiting_child();
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  const auto sent = signal_later(child, {{0ms, SIGSTOP}});
  REQUIRE_FALSE(sent.has_value());
  CHECK(sent.error().code == error_code::not_found);
}

TEST_CASE("a star in a name's pattern stands for any text") {
  CHECK(fits("node/*", "node/a"));
  CHECK(fits("*", ""));
  CHECK_FALSE(fits("node/*b", "node/a"));
}
