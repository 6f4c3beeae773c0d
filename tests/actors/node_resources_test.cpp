#include <doctest/doctest.h>

#include <map>

#include "actors/node/resources.hpp"
#include "runtime/random_source.hpp"

using dim::actors::device_facts;
using dim::actors::node_facts;
using dim::actors::resource_ledger;
using dim::actors::resource_need;

namespace {

constexpr std::uint64_t gb = 1'000'000'000;

node_facts machine() {
  node_facts facts;
  facts.cpu_cores = 2;
  facts.memory_bytes = 8 * gb;
  facts.devices = {{"cpu:0", "cpu", "", 1, 4 * gb, 2},
                   {"cpu:1", "cpu", "", 1, 4 * gb, 2},
                   {"cuda:0", "cuda", "", 80, 10 * gb, 2}};
  return facts;
}

resource_need need(std::string model, std::uint32_t cores = 1, std::uint64_t memory = gb) {
  resource_need result;
  result.model_key = std::move(model);
  result.cores = cores;
  result.memory_bytes = memory;
  return result;
}

resource_need gpu_need(std::string model, std::uint64_t gpu_bytes) {
  auto result = need(std::move(model), 0, 0);
  result.gpu = true;
  result.gpu_bytes = gpu_bytes;
  return result;
}

}  // namespace

TEST_CASE("executions of one model on one device hold its cores and memory once") {
  resource_ledger ledger{machine()};
  CHECK(ledger.reserve("1", need("a")) == "cpu:0");
  CHECK(ledger.free_cores() == 1);
  CHECK(ledger.free_memory_bytes() == 7 * gb);
  CHECK(ledger.reserve("2", need("a")) == "cpu:0");
  CHECK(ledger.free_cores() == 1);
  CHECK(ledger.free_memory_bytes() == 7 * gb);
  CHECK(ledger.free_slots() == 4);
  ledger.release("1");
  CHECK(ledger.free_cores() == 1);
  ledger.release("2");
  CHECK(ledger.free_cores() == 2);
  CHECK(ledger.free_memory_bytes() == 8 * gb);
  CHECK(ledger.free_slots() == 6);
}

TEST_CASE("the largest need of a group is what it holds, and shrinks when that member leaves") {
  resource_ledger ledger{machine()};
  CHECK(ledger.reserve("1", need("a", 1, gb)));
  CHECK(ledger.reserve("2", need("a", 2, 3 * gb)) == "cpu:0");
  CHECK(ledger.free_cores() == 0);
  CHECK(ledger.free_memory_bytes() == 5 * gb);
  ledger.release("2");
  CHECK(ledger.free_cores() == 1);
  CHECK(ledger.free_memory_bytes() == 7 * gb);
}

TEST_CASE("a device with an agent of the model comes first, then the one with most free slots") {
  resource_ledger ledger{machine()};
  ledger.set_agents("cpu:1", {"b"});
  CHECK(ledger.is_served("b"));
  CHECK_FALSE(ledger.is_served("a"));
  CHECK(ledger.reserve("1", need("b")) == "cpu:1");
  CHECK(ledger.reserve("2", need("a", 0)) == "cpu:0");
  CHECK(ledger.reserve("3", need("c", 0)) == "cuda:0");
  ledger.set_agents("cpu:1", {});
  ledger.release("1");
  CHECK_FALSE(ledger.is_served("b"));
  CHECK(ledger.reserve("4", need("d", 0)) == "cpu:1");
}

TEST_CASE("there is no room when slots, cores or memory are taken") {
  resource_ledger ledger{machine()};
  SUBCASE("slots") {
    for (auto* key : {"1", "2", "3", "4", "5", "6"})
      CHECK(ledger.reserve(key, need("a", 0)));
    CHECK_FALSE(ledger.reserve("7", need("a", 0)));
    ledger.release("3");
    CHECK(ledger.reserve("7", need("a", 0)));
  }
  SUBCASE("cores") {
    CHECK(ledger.reserve("1", need("a", 2)));
    CHECK_FALSE(ledger.reserve("2", need("b", 1)));
    CHECK(ledger.reserve("3", need("a", 1)));
  }
  SUBCASE("memory") {
    CHECK(ledger.reserve("1", need("a", 0, 5 * gb)));
    CHECK_FALSE(ledger.reserve("2", need("b", 0, 4 * gb)));
    CHECK(ledger.reserve("3", need("b", 0, 3 * gb)));
  }
}

TEST_CASE("a GPU is taken only by who asks for one when it must be, and its memory is counted") {
  resource_ledger ledger{machine()};
  CHECK(ledger.reserve("1", gpu_need("a", 6 * gb)) == "cuda:0");
  CHECK_FALSE(ledger.reserve("2", gpu_need("b", 6 * gb)));
  CHECK(ledger.reserve("3", gpu_need("a", 6 * gb)) == "cuda:0");
  ledger.release("1");
  CHECK_FALSE(ledger.reserve("2", gpu_need("b", 6 * gb)));
  ledger.release("3");
  CHECK(ledger.reserve("2", gpu_need("b", 6 * gb)) == "cuda:0");
}

TEST_CASE("what the node can never run is refused with the reason") {
  resource_ledger ledger{machine()};
  CHECK(ledger.refusal_of(need("a", 2, 8 * gb)).empty());
  CHECK(ledger.refusal_of(need("a", 3)) == "the node offers 2 cores, 3 are required");
  CHECK(ledger.refusal_of(need("a", 1, 9 * gb)).find("bytes of memory") != std::string::npos);
  CHECK(ledger.refusal_of(gpu_need("a", 10 * gb)).empty());
  CHECK(ledger.refusal_of(gpu_need("a", 11 * gb)) == "no GPU of the node is large enough");
  CHECK(resource_ledger{node_facts{}}.refusal_of(need("a", 0, 0)) ==
        "no device of the node fits");
}

TEST_CASE("releasing an unknown key changes nothing") {
  resource_ledger ledger{machine()};
  ledger.reserve("1", need("a"));
  ledger.release("2");
  ledger.release("1");
  ledger.release("1");
  CHECK(ledger.free_cores() == 2);
  CHECK(ledger.free_slots() == 6);
}

TEST_CASE("random reservations never exceed the machine and all of it comes back") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    dim::runtime::random_source random{seed};
    resource_ledger ledger{machine()};
    std::map<std::string, std::string> held;
    for (int step = 0; step < 400; ++step) {
      if (random.below(2) == 0 || held.empty()) {
        auto wish = need(std::string(1, char('a' + random.below(4))),
                         std::uint32_t(random.below(3)), random.below(4) * gb);
        wish.gpu = random.below(4) == 0;
        wish.gpu_bytes = random.below(6) * gb;
        auto key = std::to_string(step);
        if (auto device = ledger.reserve(key, wish))
          held[key] = *device;
      } else {
        auto victim = std::next(held.begin(), std::ptrdiff_t(random.below(held.size())));
        ledger.release(victim->first);
        held.erase(victim);
      }
      CHECK(ledger.free_cores() <= 2);
      CHECK(ledger.free_memory_bytes() <= 8 * gb);
      CHECK(ledger.free_slots() == 6 - held.size());
    }
    for (auto& [key, device] : held)
      ledger.release(key);
    CHECK(ledger.free_cores() == 2);
    CHECK(ledger.free_memory_bytes() == 8 * gb);
    CHECK(ledger.reserve("all", gpu_need("z", 10 * gb)) == "cuda:0");
  }
}
