#include <doctest/doctest.h>

#include <deque>

#include "actors/node/chunk_transfer.hpp"
#include "runtime/random_source.hpp"

using dim::actors::chunk_bytes_max;
using dim::actors::chunk_transfer;
using dim::actors::chunk_wish;
using dim::runtime::bytes;

namespace {

constexpr std::uint64_t mib = chunk_bytes_max;

bytes part(const chunk_wish& wish) {
  return bytes{std::vector<char>(wish.length, 'x')};
}

}  // namespace

TEST_CASE("a file is asked for in chunks of 1 MiB, never more than the window at once") {
  chunk_transfer file{2 * mib + 10, 2};
  auto first = file.next();
  auto second = file.next();
  CHECK(first == chunk_wish{0, mib});
  CHECK(second == chunk_wish{mib, mib});
  CHECK_FALSE(file.next());
  REQUIRE(file.arrived(0, part(*first)));
  auto third = file.next();
  CHECK(third == chunk_wish{2 * mib, 10});
  CHECK_FALSE(file.next());
  CHECK(file.arrived(mib, part(*second)));
  CHECK_FALSE(file.is_complete());
  CHECK(file.arrived(2 * mib, part(*third)));
  CHECK(file.is_complete());
}

TEST_CASE("an empty file is complete at once") {
  chunk_transfer file{0, 4};
  CHECK(file.is_complete());
  CHECK_FALSE(file.next());
}

TEST_CASE("chunks come out in order, and early ones count against the window") {
  chunk_transfer file{4 * mib, 2};
  auto first = *file.next();
  auto second = *file.next();
  auto early = file.arrived(second.offset, part(second));
  REQUIRE(early);
  CHECK(early->empty());
  CHECK_FALSE(file.next());
  auto both = file.arrived(first.offset, part(first));
  REQUIRE(both);
  REQUIRE(both->size() == 2);
  CHECK((*both)[0].offset == 0);
  CHECK((*both)[1].offset == mib);
}

TEST_CASE("a chunk of the wrong length is corrupt, one that nobody asked for is ignored") {
  chunk_transfer file{2 * mib, 2};
  file.next();
  CHECK(file.arrived(0, bytes::copy_of("short")).error().code ==
        dim::runtime::error_code::corrupt);
  chunk_transfer other{2 * mib, 1};
  auto first = *other.next();
  CHECK(other.arrived(mib, part(first))->empty());
  CHECK(other.arrived(0, part(first))->size() == 1);
  CHECK(other.arrived(0, part(first))->empty());
}

TEST_CASE("a chunk that fails is asked for again, up to its last attempt") {
  chunk_transfer file{mib, 1, 3};
  for (int attempt = 1; attempt <= 3; ++attempt) {
    REQUIRE(file.next() == chunk_wish{0, mib});
    CHECK(file.failed(0) == (attempt < 3));
  }
}

TEST_CASE("a lost sender costs no attempt, and late answers of it still count") {
  chunk_transfer file{3 * mib, 2, 1};
  auto first = *file.next();
  auto second = *file.next();
  file.restart_asked();
  CHECK(file.arrived(0, part(first))->size() == 1);
  CHECK(file.next() == second);
  CHECK(file.next() == chunk_wish{2 * mib, mib});
}

TEST_CASE("any order of answers and failures gives the whole file once, within the window") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    dim::runtime::random_source random{seed};
    auto size = random.below(12 * mib);
    auto window = static_cast<std::uint32_t>(1 + random.below(5));
    chunk_transfer file{size, window, 1'000};
    std::deque<chunk_wish> asked;
    std::uint64_t appended = 0;
    for (int step = 0; step < 10'000 && !file.is_complete(); ++step) {
      while (auto wish = file.next())
        asked.push_back(*wish);
      REQUIRE(asked.size() <= window);
      REQUIRE_FALSE(asked.empty());
      auto pick = asked.begin() + std::ptrdiff_t(random.below(asked.size()));
      auto wish = *pick;
      asked.erase(pick);
      if (random.below(5) == 0) {
        CHECK(file.failed(wish.offset));
        continue;
      }
      auto parts = file.arrived(wish.offset, part(wish));
      REQUIRE(parts);
      for (auto& each : *parts) {
        CHECK(each.offset == appended);
        appended += each.data.size();
      }
    }
    CHECK(file.is_complete());
    CHECK(appended == size);
  }
}
