#include "runtime/machine.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <sys/resource.h>
#include <unistd.h>

using namespace dim;

TEST_CASE("the processor's load is the busy share between two readings") {
  runtime::cpu_meter meter;
  CHECK(meter.permille_of("cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 1 2 3\n") == 200);
  CHECK(meter.permille_of("cpu  150 10 140 1600 100 0 0 0 0 0\n") == 100);
  CHECK(meter.permille_of("cpu  150 10 140 1600 100 0 0 0 0 0\n") == 0);
}

TEST_CASE("readings that went back, or are not understood, are no load") {
  runtime::cpu_meter meter;
  meter.permille_of("cpu  1000 0 0 9000 0 0 0 0\n");
  CHECK(meter.permille_of("cpu  10 0 0 90 0 0 0 0\n") == 0);
  CHECK(meter.permille_of("cpu  20 0 0 100 0 0 0 0\n") == 500);
  CHECK(meter.permille_of("") == 0);
  CHECK(meter.permille_of("nonsense") == 0);
}

TEST_CASE("the load of this machine is between nothing and all") {
  runtime::cpu_meter meter;
  CHECK(meter.permille() <= 1000);
  CHECK(meter.permille() <= 1000);
}

TEST_CASE("memory is read in bytes, by the line's own name") {
  auto facts = runtime::memory_of("HugeMemTotal: 5 kB\nMemTotal:       16384 kB\nMemFree: 7 kB\n"
                                  "MemAvailable:    8192 kB\n");
  CHECK(facts.total_bytes == 16384 * 1024);
  CHECK(facts.available_bytes == 8192 * 1024);
  CHECK(runtime::memory_of("").total_bytes == 0);
  auto real = runtime::machine_memory();
  CHECK(real.total_bytes > (64u << 20));
  CHECK(real.available_bytes <= real.total_bytes);
}

TEST_CASE("a process's memory is its anonymous and shared pages, not its files") {
  CHECK(*runtime::process_memory_of("VmRSS:\t 900 kB\nRssAnon:\t     100 kB\n"
                                    "RssFile:\t  700 kB\nRssShmem:\t      20 kB\n")
        == 120 * 1024);
  CHECK_FALSE(runtime::process_memory_of("Name: kthread\n"));
  CHECK_FALSE(runtime::process_memory(0x7fffffff));
  auto before = *runtime::process_memory(::getpid());
  std::vector<char> block(32 << 20, 'x');
  CHECK(*runtime::process_memory(::getpid()) >= before + (30 << 20));
  CHECK(block.back() == 'x');
}

TEST_CASE("a process may open as many files as the hard limit says") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit low{std::min<rlim_t>(64, before.rlim_max), before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  CHECK(dim::runtime::raise_file_limit() == before.rlim_max);
  rlimit after{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &after) == 0);
  CHECK(after.rlim_cur == before.rlim_max);
}

TEST_CASE("disk, host name and cores of this machine are known") {
  CHECK(runtime::disk_free_bytes("/") > 0);
  CHECK(runtime::disk_free_bytes("/no/such/folder") == 0);
  CHECK_FALSE(runtime::host_name().empty());
  CHECK(runtime::core_count() >= 1);
}
