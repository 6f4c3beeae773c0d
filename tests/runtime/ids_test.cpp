#include "runtime/ids.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include <doctest/doctest.h>

using namespace dim::runtime;

TEST_CASE("ids are version 7 UUIDs that carry their time") {
  id_source ids{7};
  const std::int64_t now = 1'763'652'000'123;
  const auto id = ids.next(now);
  CHECK(is_uuid(id));
  CHECK(id[14] == '7');
  CHECK(std::string{"89ab"}.find(id[19]) != std::string::npos);
  CHECK(time_of_id(id) == now);
}

TEST_CASE("ids of one source grow while the clock stands still or goes back") {
  id_source ids{11};
  std::vector<std::string> made;
  for (int round = 0; round < 10'000; ++round)
    made.push_back(ids.next(5'000'000));
  for (int round = 0; round < 100; ++round)
    made.push_back(ids.next(4'000'000 - round));
  made.push_back(ids.next(6'000'000));
  CHECK(std::is_sorted(made.begin(), made.end()));
  CHECK(std::set<std::string>(made.begin(), made.end()).size() == made.size());
}

TEST_CASE("the same seed and times make the same ids, another seed makes others") {
  id_source first{3};
  id_source second{3};
  id_source other{4};
  for (std::int64_t now = 1; now < 50; ++now) {
    const auto id = first.next(now);
    CHECK(id == second.next(now));
    CHECK(id != other.next(now));
  }
}

TEST_CASE("text that is no UUID is told apart") {
  CHECK(is_uuid("01890a5d-ac96-774b-bcce-b302099a8057"));
  CHECK_FALSE(is_uuid(""));
  CHECK_FALSE(is_uuid("01890A5D-ac96-774b-bcce-b302099a8057"));
  CHECK_FALSE(is_uuid("01890a5d-ac96-774b-bcce-b302099a805"));
  CHECK_FALSE(is_uuid("01890a5d+ac96-774b-bcce-b302099a8057"));
  CHECK(time_of_id("01890a5d-ac96-474b-bcce-b302099a8057") == 0);
}

TEST_CASE("the generator gives the published numbers of splitmix64 and xoshiro256**") {
  // From the state that splitmix64 makes of the seed 0: e220a8397b1dcdaf, 6e789e6aa1b965f4,
  // 06c45d188009454f, f88bb8a8724c81ec. The first number is rotl(second * 5, 7) * 9.
  random_source random{0};
  const std::uint64_t second = 0x6e789e6aa1b965f4ULL;
  const std::uint64_t product = second * 5;
  CHECK(random.next() == ((product << 7) | (product >> 57)) * 9);
}

TEST_CASE("numbers below a bound are spread evenly") {
  random_source random{42};
  std::vector<int> counts(6, 0);
  for (int round = 0; round < 60'000; ++round)
    ++counts.at(random.below(6));
  for (const int count : counts) {
    CHECK(count > 9'500);
    CHECK(count < 10'500);
  }
  CHECK(random.below(0) == 0);
  CHECK(random.below(1) == 0);
  for (int round = 0; round < 1000; ++round) {
    const double unit = random.unit();
    CHECK((unit >= 0.0 && unit < 1.0));
  }
}
