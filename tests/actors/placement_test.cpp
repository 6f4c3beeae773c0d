#include <doctest/doctest.h>

#include <set>

#include "actors/cluster/placement.hpp"
#include "runtime/random_source.hpp"

using namespace dim;
using namespace dim::actors;

namespace {

candidate node_of(std::string id, double reputation = 100, std::uint32_t in_flight = 0,
                  std::string owner = {}) {
  candidate result;
  result.record.facts.id = id;
  result.record.facts.name = id;
  result.record.facts.owner = std::move(owner);
  result.record.facts.cpu_cores = 4;
  result.record.facts.memory_bytes = 8'000'000'000;
  result.record.facts.devices = {{"cpu:0", "cpu", "", 1, 0, 1}, {"cpu:1", "cpu", "", 1, 0, 1}};
  result.record.state = node_state::online;
  result.record.reputation = reputation;
  result.capacity = 4;
  result.in_flight = in_flight;
  return result;
}

candidate_map map_of(std::vector<candidate> nodes) {
  candidate_map result;
  for (auto& node : nodes)
    result[node.record.facts.id] = node;
  return result;
}

std::vector<execution_request> group_of(std::size_t size) {
  return std::vector<execution_request>(size);
}

}  // namespace

TEST_CASE("the node with the highest score is chosen, and every term is recorded") {
  auto nodes = map_of({node_of("a", 100, 2), node_of("b", 150, 0), node_of("c", 400, 3)});
  auto result = place_group(group_of(1), nodes);
  REQUIRE(result.node_ids.size() == 1);
  CHECK(result.node_ids[0] == "b");
  auto& scores = result.scores[0];
  REQUIRE(scores.size() == 3);
  CHECK(double(scores[0].score) == doctest::Approx(1.0 * 0.5));
  CHECK(double(scores[1].score) == doctest::Approx(1.5));
  CHECK(double(scores[2].reputation_term) == doctest::Approx(2.0));
  CHECK(double(scores[2].score) == doctest::Approx(2.0 * 0.25));
  CHECK(scores[1].chosen);
  CHECK_FALSE(scores[0].chosen);
}

TEST_CASE("a cached model counts for a quarter more, and ties go to the lower id") {
  auto nodes = map_of({node_of("a"), node_of("b"), node_of("c")});
  CHECK(place_group(group_of(1), nodes).node_ids[0] == "a");
  nodes["c"].record.load.cached_models = {"digest"};
  auto group = group_of(1);
  group[0].model.model_digest = "digest";
  auto result = place_group(group, nodes);
  CHECK(result.node_ids[0] == "c");
  CHECK(double(result.scores[0][2].cache_term) == 1.25);
}

TEST_CASE("each filter refuses with its own words") {
  auto request = execution_request{};
  auto node = node_of("a").record;
  CHECK(refusal_of(request, node).empty());
  node.state = node_state::offline;
  CHECK(refusal_of(request, node) == "is offline");
  node.state = node_state::quarantined;
  CHECK(refusal_of(request, node) == "is quarantined");
  node.state = node_state::online;
  request.exclude = {"a"};
  CHECK(refusal_of(request, node) == "is excluded");
  request.exclude.clear();
  request.include = {"b"};
  CHECK(refusal_of(request, node) == "is not among the nodes to include");
  request.include.clear();
  request.cabinet = "patients";
  CHECK(refusal_of(request, node) == "has no cabinet 'patients'");
  node.facts.cabinets = {{"patients", 10, {"x"}}};
  CHECK(refusal_of(request, node).empty());
  request.required_cpu = 5;
  CHECK(refusal_of(request, node) == "has 4 cores, 5 are required");
  request.required_cpu = 1;
  request.required_memory = 9;
  CHECK(refusal_of(request, node) == "has 8 GB of memory, 9 are required");
  request.required_memory = 1;
  request.required_gpu = true;
  CHECK(refusal_of(request, node) == "has no GPU");
}

TEST_CASE("a node to avoid is taken only where no other fits, and only when it may be") {
  auto nodes = map_of({node_of("a", 200), node_of("b", 50, 4)});
  auto group = group_of(1);
  group[0].avoid = {"a"};
  auto waiting = place_group(group, nodes);
  CHECK(waiting.node_ids.empty());
  CHECK(waiting.waits_for_room);
  CHECK(waiting.scores[0][0].refusal == "has failed here before");
  nodes["b"].in_flight = 0;
  CHECK(place_group(group, nodes).node_ids[0] == "b");
  group[0].exclude = {"b"};
  CHECK(place_group(group, nodes, false).node_ids.empty());
  CHECK_FALSE(place_group(group, nodes, false).waits_for_room);
  CHECK(place_group(group, nodes, true).node_ids[0] == "a");
}

TEST_CASE("a group is placed on different nodes or not at all") {
  auto nodes = map_of({node_of("a"), node_of("b")});
  auto two = place_group(group_of(2), nodes);
  REQUIRE(two.node_ids.size() == 2);
  CHECK(two.node_ids[0] != two.node_ids[1]);
  auto three = place_group(group_of(3), nodes);
  CHECK(three.node_ids.empty());
  CHECK_FALSE(three.waits_for_room);
  nodes["c"] = node_of("c", 100, 4);
  three = place_group(group_of(3), nodes);
  CHECK(three.node_ids.empty());
  CHECK(three.waits_for_room);
}

TEST_CASE("replicas go to distinct owners while there are enough, else to distinct nodes") {
  auto nodes =
    map_of({node_of("a", 200, 0, "x"), node_of("b", 190, 0, "x"), node_of("c", 50, 0, "y")});
  auto two = place_group(group_of(2), nodes);
  CHECK(std::set<std::string>(two.node_ids.begin(), two.node_ids.end())
        == std::set<std::string>{"a", "c"});
  auto three = place_group(group_of(3), nodes);
  CHECK(three.node_ids.size() == 3);
  auto one = group_of(1);
  one[0].avoid_owners = {"x"};
  CHECK(place_group(one, nodes).node_ids[0] == "c");
}

TEST_CASE("random clusters: no node twice, none that is full or unfit, none passed over") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    runtime::random_source random{seed};
    candidate_map nodes;
    std::size_t usable = 0;
    for (std::uint64_t index = 0; index < 1 + random.below(8); ++index) {
      auto node = node_of("n" + std::to_string(index), double(random.below(300)),
                          std::uint32_t(random.below(5)));
      if (random.below(4) == 0)
        node.record.state = node_state::suspect;
      usable += node.record.state == node_state::online && node.has_room();
      nodes[node.record.facts.id] = node;
    }
    auto size = 1 + random.below(4);
    auto result = place_group(group_of(size), nodes);
    CHECK((result.node_ids.size() == size) == (usable >= size));
    std::set<std::string> different(result.node_ids.begin(), result.node_ids.end());
    CHECK(different.size() == result.node_ids.size());
    for (auto& id : result.node_ids)
      CHECK((nodes[id].has_room() && nodes[id].record.state == node_state::online));
  }
}

TEST_CASE("refusals are told one a node, and an empty cluster says so") {
  CHECK(refusals_in_words({}) == std::vector<std::string>{"no node has joined the cluster"});
  candidate_score entry;
  entry.node_name = "clinic";
  entry.refusal = "is offline";
  CHECK(refusals_in_words({entry}) == std::vector<std::string>{"node clinic: is offline"});
}
