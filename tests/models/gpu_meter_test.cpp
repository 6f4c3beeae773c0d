#include "models/gpu_meter.hpp"

#include <chrono>
#include <thread>

#include <doctest/doctest.h>

using namespace dim;

TEST_CASE("a GPU is read by the number that CUDA gives it") {
  models::gpu_meter meter{DIM_FAKE_GPU, DIM_FAKE_GPU};
  for (int look = 0; look < 2; ++look) {
    auto first = meter.read(0);
    auto second = meter.read(1);
    REQUIRE(first);
    REQUIRE(second);
    CHECK(first->uuid == "GPU-first");
    CHECK(first->memory_bytes == 80'000);
    CHECK(first->memory_used_bytes == 1'000);
    CHECK(first->busy_percent == 42);
    CHECK(first->power_mw == 310'500);
    CHECK(first->power_limit_mw == 700'000);
    CHECK(first->energy_mj == 0);
    CHECK(second->uuid == "GPU-second");
    CHECK(second->memory_used_bytes == 2'000);
  }
}

TEST_CASE("nothing is read of a GPU that is not there, or without the libraries") {
  CHECK_FALSE(models::gpu_meter{DIM_FAKE_GPU, DIM_FAKE_GPU}.read(2));
  CHECK_FALSE(models::gpu_meter{DIM_FAKE_GPU, "libnone-of-this-name.so"}.read(0));
  CHECK_FALSE(models::gpu_meter{"libnone-of-this-name.so", DIM_FAKE_GPU}.read(0));
}

TEST_CASE("what was read last of each GPU is there without asking the driver") {
  using namespace std::chrono_literals;
  const models::gpu_watch watch{{0, 1, 2}, 1h, DIM_FAKE_GPU, DIM_FAKE_GPU};
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (watch.latest().empty() && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  const auto known = watch.latest();
  REQUIRE(known.size() == 2);
  CHECK(known.at(0).uuid == "GPU-first");
  CHECK(known.at(1).memory_used_bytes == 2'000);
}
