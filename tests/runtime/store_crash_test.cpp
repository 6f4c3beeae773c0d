#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <iostream>

#include <doctest/doctest.h>

#include "runtime/random_source.hpp"
#include "runtime/store.hpp"
#include "runtime/store_check.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/test_seed.hpp"

using namespace dim::runtime;
using dim::tests::temporary_folder;

namespace {

std::unique_ptr<store> open_in(const std::filesystem::path& folder) {
  store_settings settings;
  settings.folder = folder;
  settings.map_bytes = 64 << 20;
  settings.tables = {"numbers", "pairs"};
  auto opened = store::open(settings);
  return opened ? std::move(*opened) : nullptr;
}

std::string key_of(std::uint32_t number) {
  const auto text = std::to_string(number);
  return std::string(10 - text.size(), '0') + text;
}

/// The child: commits one number after the other to two tables, and acknowledges each over the
/// pipe.
[[noreturn]] void commit_until_killed(const std::filesystem::path& folder, int pipe) {
  auto database = open_in(folder);
  if (!database)
    ::_exit(1);
  auto count = database->read()->count("numbers");
  for (auto number = static_cast<std::uint32_t>(*count);; ++number) {
    const std::string value(number % 5000, 'v');
    const auto done = database->write([&](write_transaction& changes) -> expected<void> {
      if (auto first = changes.put("numbers", key_of(number), value); !first)
        return first;
      return changes.put("pairs", key_of(number), "pair");
    });
    if (!done || ::write(pipe, &number, sizeof number) != sizeof number)
      ::_exit(1);
  }
}

/// Lets a child commit `commits` times, kills it, and returns the last acknowledged number.
std::uint32_t run_and_kill(const std::filesystem::path& folder, std::uint64_t commits) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  // The child would write once more what is still held back here.
  std::cout.flush();
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::close(ends[0]);
    commit_until_killed(folder, ends[1]);
  }
  ::close(ends[1]);
  std::uint32_t acknowledged = 0;
  for (; commits > 0; --commits)
    REQUIRE(::read(ends[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  // What it acknowledged until it died counts, too.
  while (::read(ends[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged) {
  }
  ::close(ends[0]);
  return acknowledged;
}

}  // namespace

TEST_CASE("a process that is killed while it commits loses nothing that it acknowledged") {
  const std::uint64_t seed = dim::tests::test_seed();
  CAPTURE(seed);
  random_source random{seed};
  const temporary_folder folder;
  for (int round = 0; round < 8; ++round) {
    const auto acknowledged = run_and_kill(folder / "db", 1 + random.below(60));
    REQUIRE(check_in_this_process(folder / "db"));
    auto database = open_in(folder / "db");
    REQUIRE(database);
    auto snapshot = database->read();
    REQUIRE(snapshot);
    for (std::uint32_t number = 0; number <= acknowledged; ++number) {
      const auto value = snapshot->get("numbers", key_of(number));
      REQUIRE(value);
      REQUIRE(*value);
      CHECK((*value)->size() == number % 5000);
    }
    // All or nothing: the two tables always agree, and at most one commit was not acknowledged.
    CHECK(snapshot->count("numbers") == snapshot->count("pairs"));
    CHECK(*snapshot->count("numbers") <= acknowledged + std::uint64_t{2});
  }
}
