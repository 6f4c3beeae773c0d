#include <doctest/doctest.h>

#include <map>

#include "actors/router/route_table.hpp"

using dim::actors::balance_strategy;
using dim::actors::balance_strategy_from;
using dim::actors::route_shares;
using dim::actors::route_table;

namespace {

constexpr auto nobody = std::nullopt;

/// Three nodes, a, b and c, all warm.
struct three_nodes {
  explicit three_nodes(balance_strategy strategy) : table(strategy, 7) {
    for (auto* id : {"a", "b", "c"}) {
      auto place = table.place_of(id);
      table.set_node(place, true, 1);
      version.at(place).warm = true;
    }
  }

  /// Chooses and begins so many requests; how many went where.
  std::map<std::string, int> spread(int requests) {
    std::map<std::string, int> counts;
    for (int index = 0; index < requests; ++index) {
      auto place = table.choose(version, nobody);
      REQUIRE(place);
      table.begin(version, *place);
      ++counts[table.id_of(*place)];
    }
    return counts;
  }

  route_table table;
  route_shares version;
};

}  // namespace

TEST_CASE("strategies are known by their names") {
  CHECK(balance_strategy_from("least_outstanding") == balance_strategy::least_outstanding);
  CHECK(balance_strategy_from("round_robin") == balance_strategy::round_robin);
  CHECK(balance_strategy_from("weighted") == balance_strategy::weighted);
  CHECK(balance_strategy_from("random") == balance_strategy::random);
  CHECK(balance_strategy_from("power_of_two") == balance_strategy::power_of_two);
}

TEST_CASE("an agent may be started early where it rests, and where there never was one") {
  three_nodes f{balance_strategy::least_outstanding};
  using places = std::vector<std::size_t>;
  CHECK(f.table.spare_nodes(f.version, 0).empty());
  f.version.at(0).forget_agents();
  f.version.at(2).resting = true;
  CHECK(f.table.spare_nodes(f.version, 0) == places{2, 0});
  CHECK(f.table.spare_nodes(f.version, 3) == places{2, 0});
  CHECK(f.table.spare_nodes(f.version, 2) == places{2});
  CHECK(f.table.cold_nodes(f.version, 0) == places{0});
  f.version.at(2).warming = true;
  CHECK(f.table.spare_nodes(f.version, 2).empty());
  f.table.set_node(0, false, 1);
  CHECK(f.table.spare_nodes(f.version, 0).empty());
  // Requests go there as to any other.
  CHECK(f.table.choose(f.version, 1) == 2);
}

TEST_CASE("least_outstanding fills up whoever has the least, for what it is worth") {
  three_nodes f{balance_strategy::least_outstanding};
  CHECK(f.spread(6) == std::map<std::string, int>{{"a", 2}, {"b", 2}, {"c", 2}});
  f.table.end(f.version, 1);
  f.table.end(f.version, 1);
  CHECK(f.table.choose(f.version, nobody) == 1);
  f.table.set_node(0, true, 8);
  CHECK(f.table.choose(f.version, nobody) == 0);
}

TEST_CASE("least_outstanding gives a better reputation more of the load") {
  three_nodes f{balance_strategy::least_outstanding};
  f.table.set_node(2, true, 0.5);
  auto counts = f.spread(100);
  CHECK(counts["a"] == 40);
  CHECK(counts["b"] == 40);
  CHECK(counts["c"] == 20);
}

TEST_CASE("round_robin takes turns whatever the load") {
  three_nodes f{balance_strategy::round_robin};
  for (int index = 0; index < 5; ++index)
    f.table.begin(f.version, 0);
  CHECK(f.spread(9) == std::map<std::string, int>{{"a", 3}, {"b", 3}, {"c", 3}});
}

TEST_CASE("weighted takes turns as often as a node is worth") {
  three_nodes f{balance_strategy::weighted};
  f.table.set_node(0, true, 2);
  CHECK(f.spread(12) == std::map<std::string, int>{{"a", 6}, {"b", 3}, {"c", 3}});
}

TEST_CASE("random reaches everybody, and about equally often") {
  three_nodes f{balance_strategy::random};
  for (auto& [id, count] : f.spread(3'000))
    CHECK(std::abs(count - 1'000) < 150);
}

TEST_CASE("power_of_two keeps the load almost even") {
  three_nodes f{balance_strategy::power_of_two};
  for (auto& [id, count] : f.spread(3'000))
    CHECK(std::abs(count - 1'000) < 20);
}

TEST_CASE("a node that can not be used, or that is excluded, gets nothing, whatever the strategy") {
  for (auto strategy :
       {balance_strategy::least_outstanding, balance_strategy::round_robin,
        balance_strategy::weighted, balance_strategy::random, balance_strategy::power_of_two}) {
    three_nodes f{strategy};
    f.table.set_node(0, false, 1);
    for (int index = 0; index < 50; ++index)
      CHECK(f.table.choose(f.version, 1) == 2);
    f.table.set_node(2, false, 1);
    CHECK_FALSE(f.table.choose(f.version, 1));
    f.table.set_node(1, false, 1);
    CHECK_FALSE(f.table.choose(f.version, nobody));
  }
}

TEST_CASE("a cold node waits until there is no warm one") {
  three_nodes f{balance_strategy::least_outstanding};
  f.version.at(0).warm = false;
  for (int index = 0; index < 4; ++index)
    f.table.begin(f.version, 1);
  for (int index = 0; index < 4; ++index)
    f.table.begin(f.version, 2);
  CHECK(f.table.choose(f.version, nobody) != 0);
  f.table.set_node(1, false, 1);
  f.table.set_node(2, false, 1);
  CHECK(f.table.choose(f.version, nobody) == 0);
}

TEST_CASE("cold nodes are those that nobody has asked yet, up to the number that may serve") {
  three_nodes f{balance_strategy::least_outstanding};
  route_shares other;
  CHECK(f.table.cold_nodes(other, 0) == std::vector<std::size_t>{0, 1, 2});
  f.table.begin(f.version, 0);
  CHECK(f.table.cold_nodes(other, 2) == std::vector<std::size_t>{1, 2});
  other.at(1).warming = true;
  CHECK(f.table.cold_nodes(other, 2) == std::vector<std::size_t>{2});
  other.at(2).warm = true;
  CHECK(f.table.cold_nodes(other, 2).empty());
}
