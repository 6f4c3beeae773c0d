#include "runtime/child_run.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>

#include <unistd.h>

#include <doctest/doctest.h>

using namespace dim::runtime;

namespace {

child_end run_shell(const std::string& script, int time_max_ms = 20'000) {
  const auto end
    = run_to_end({"/bin/sh", {"-c", script}, std::chrono::milliseconds{time_max_ms}});
  REQUIRE(end);
  return *end;
}

}  // namespace

TEST_CASE("a child's status, its words and its arguments come through") {
  const auto end = run_to_end(
    {"/bin/sh", {"-c", "echo \"$1\" >&2; echo dropped; exit 7", "sh", "two words"}, {}});
  REQUIRE(end);
  CHECK(end->status == 7);
  CHECK(end->error_text == "two words\n");
  CHECK_FALSE(end->succeeded());
  CHECK(run_shell("exit 0").succeeded());
}

TEST_CASE("of many words the last 4 KiB are kept, and the child is not held up by them") {
  const auto end = run_shell("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done >&2");
  CHECK(end.succeeded());
  CHECK(end.error_text.size() == 4096);
  CHECK(end.error_text.ends_with("line 19999\n"));
}

TEST_CASE("a signal is told apart from an exit status, and a child that does not end is killed") {
  const auto killed = run_shell("kill -9 $$");
  CHECK(killed.signal == 9);
  CHECK_FALSE(killed.timed_out);
  const auto endless = run_shell("echo begun >&2; while :; do :; done", 200);
  CHECK(endless.timed_out);
  CHECK(endless.signal == 9);
  CHECK(endless.error_text == "begun\n");
}

TEST_CASE("a child's own child that keeps the pipe open is not waited for") {
  const auto before = std::chrono::steady_clock::now();
  const auto end = run_shell("sleep 15 & echo left one behind >&2; exit 3");
  CHECK(end.status == 3);
  CHECK(end.error_text == "left one behind\n");
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds{10});
}

TEST_CASE("standard input is empty, and a program that is not there is a failure") {
  CHECK(run_shell("cat >&2").error_text.empty());
  CHECK(run_to_end({"/nowhere/program", {}, {}}).error().code == error_code::internal);
}

TEST_CASE("a copy of this process tells its status, its words, and the signal that ended it") {
  const auto limit = std::chrono::seconds{20};
  const auto end = run_in_copy(
    [] {
      std::fputs("from the copy\n", stderr);
      return 7;
    },
    limit);
  REQUIRE(end);
  CHECK(end->status == 7);
  CHECK(end->error_text == "from the copy\n");
  const auto killed = run_in_copy([] { return ::raise(SIGKILL); }, limit);
  REQUIRE(killed);
  CHECK(killed->signal == SIGKILL);
}

TEST_CASE("a copy of this process that goes on for too long is killed") {
  const auto end = run_in_copy(
    [] {
      ::pause();
      return 0;
    },
    std::chrono::milliseconds{50});
  REQUIRE(end);
  CHECK(end->timed_out);
}
