#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <iterator>

#include <doctest/doctest.h>

#include "runtime/random_source.hpp"
#include "runtime/store.hpp"
#include "runtime/store_check.hpp"
#include "tests/support/file_size_limit.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/test_seed.hpp"

using namespace dim::runtime;
using dim::tests::temporary_folder;

namespace {

void fill_store(const std::filesystem::path& folder) {
  store_settings settings;
  settings.folder = folder;
  settings.map_bytes = 64 << 20;
  settings.sync = false;
  settings.tables = {"small", "large"};
  auto opened = store::open(settings);
  REQUIRE(opened);
  REQUIRE((*opened)->write([](write_transaction& changes) -> expected<void> {
    for (int number = 0; number < 2000; ++number) {
      const auto key = "key " + std::to_string(number);
      if (auto done = changes.put("small", key, key + " and its value"); !done)
        return done;
      if (auto done = changes.put("large", key, std::string(number * 3, 'v')); !done)
        return done;
    }
    return {};
  }));
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream input(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(input), {}};
}

void write_file(const std::filesystem::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

/// How the check ends in a child: its exit status, or -1 when a signal killed it.
int check_in_fork(const std::filesystem::path& folder) {
  // The child would write once more what is still held back here.
  std::cout.flush();
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // The handlers of the test program would report the child's death as its own.
    for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL})
      ::signal(signal, SIG_DFL);
    // Of its own time, which does not pass while the machine is busy with others.
    const rlimit limit{20, 25};
    ::setrlimit(RLIMIT_CPU, &limit);
    ::close(STDERR_FILENO);
    ::_exit(report_store_check(folder));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  const bool is_endless = WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU;
  CHECK_FALSE(is_endless);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("a database file that was cut short is never found whole") {
  const temporary_folder folder;
  fill_store(folder / "db");
  const auto file = folder.path() / "db" / "data.mdb";
  const auto content = read_file(file);
  CHECK(check_in_fork(folder / "db") == 0);
  for (const std::size_t share : {3, 10, 50, 90, 97}) {
    CAPTURE(share);
    write_file(file, content.substr(0, content.size() * share / 100));
    CHECK(check_in_fork(folder / "db") != 0);
  }
}

TEST_CASE("a page that was written over is found, or was not in use") {
  const temporary_folder folder;
  fill_store(folder / "db");
  const auto file = folder.path() / "db" / "data.mdb";
  const auto content = read_file(file);
  constexpr std::size_t page = 4096;
  const std::uint64_t seed = dim::tests::test_seed();
  CAPTURE(seed);
  random_source random{seed};
  int found = 0;
  for (int round = 0; round < 60; ++round) {
    auto damaged = content;
    const auto begin = page * (2 + random.below(content.size() / page - 2));
    for (std::size_t place = begin; place < begin + page; ++place)
      damaged[place] = static_cast<char>(random.next());
    write_file(file, damaged);
    found += check_in_fork(folder / "db") != 0 ? 1 : 0;
  }
  // One transaction has written nearly every page once.
  CHECK(found >= 50);
}

TEST_CASE("a commit that the disk takes only a part of is store_full, and may be tried again") {
  const temporary_folder folder;
  fill_store(folder / "db");
  store_settings settings;
  settings.folder = folder / "db";
  settings.map_bytes = 64 << 20;
  settings.tables = {"small", "large"};
  auto database = store::open(settings).value();
  const auto put = [&database] {
    return database->write([](write_transaction& changes) {
      return changes.put("large", "new", std::string(1 << 20, 'n'));
    });
  };
  const auto size = std::filesystem::file_size(folder / "db/data.mdb");
  for (const std::uintmax_t room : {10'000u, 100'000u, 600'000u}) {
    const dim::tests::file_size_limit limit{size + room};
    const auto refused = put();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == error_code::store_full);
    CHECK(database->health() == error_code::store_full);
    CHECK(database->read()->get("large", "new").value() == std::nullopt);
  }
  CHECK_FALSE(std::filesystem::exists(folder / "db/room"));
  CHECK(put());
  CHECK(database->health() == error_code::none);
  database.reset();
  CHECK(check_in_this_process(folder / "db"));
  const auto again = store::open(settings).value();
  CHECK(again->read()->get("large", "new").value()->size() == std::size_t{1} << 20);
}
