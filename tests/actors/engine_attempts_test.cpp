#include <doctest/doctest.h>

#include "actors/engine/attempts.hpp"

using namespace dim;
using namespace dim::actors;
using runtime::error_code;

namespace {

constexpr place_id first_place{0, 0};

failed_attempt lost_agent(const std::string& node, bool killed = false, std::uint32_t number = 1) {
  return {node, {error_code::agent_lost, "the agent died", {}}, killed, number};
}

failed_attempt refusal(const std::string& node, error_code code) {
  return {node, {code, "refused", {}}, false};
}

attempts opened(retry_place where = retry_place::other_node, retry_choice rules = {}) {
  attempts result{rules, 7};
  result.open(first_place, where, true);
  return result;
}

}  // namespace

TEST_CASE("a failure that may heal is tried again on another node, three attempts in all") {
  auto tries = opened();
  CHECK(tries.take_number(first_place) == 1);
  auto second = tries.failed(first_place, lost_agent("a"));
  REQUIRE(std::holds_alternative<next_attempt>(second));
  CHECK(std::get<next_attempt>(second).attempt == 2);
  CHECK(tries.avoided_for(first_place) == std::set<std::string>{"a"});
  CHECK(tries.take_number(first_place) == 2);
  auto third = tries.failed(first_place, lost_agent("b", false, 2));
  REQUIRE(std::holds_alternative<next_attempt>(third));
  CHECK(tries.avoided_for(first_place) == std::set<std::string>{"a", "b"});
  CHECK(tries.take_number(first_place) == 3);
  auto end = tries.failed(first_place, lost_agent("c", false, 3));
  REQUIRE(std::holds_alternative<runtime::failure>(end));
  auto& error = std::get<runtime::failure>(end);
  CHECK(error.code == error_code::agent_lost);
  REQUIRE(error.details.size() == 3);
  CHECK(error.details[1] == "attempt 2 on node b: agent_lost: the agent died");
}

TEST_CASE("errors that can not heal are never tried again") {
  for (auto code : {error_code::bad_input, error_code::model_not_found, error_code::bad_model,
                    error_code::unsupported, error_code::cancelled, error_code::no_nodes}) {
    CAPTURE(to_string(code));
    auto end = opened().failed(first_place, refusal("a", code));
    REQUIRE(std::holds_alternative<runtime::failure>(end));
    CHECK(std::get<runtime::failure>(end).code == code);
    CHECK(std::get<runtime::failure>(end).details.empty());
  }
}

TEST_CASE("the pause doubles up to its limit, and jitter takes at most half of it") {
  retry_choice rules;
  rules.attempts_max = 12;
  auto tries = opened(retry_place::other_node, rules);
  std::uint64_t full = 200;
  for (std::uint32_t count = 1; count < rules.attempts_max; ++count) {
    auto decision = tries.failed(first_place, lost_agent("n" + std::to_string(count)));
    REQUIRE(std::holds_alternative<next_attempt>(decision));
    auto pause = std::get<next_attempt>(decision).delay_ms;
    CHECK(pause >= full / 2);
    CHECK(pause <= full);
    full = std::min<std::uint64_t>(full * 2, 10'000);
  }
  CHECK(full == 10'000);
}

TEST_CASE("equal seeds give equal pauses, other seeds other ones") {
  const auto pauses = [](std::uint64_t seed) {
    attempts tries{{.attempts_max = 9}, seed};
    tries.open(first_place, retry_place::other_node, true);
    std::vector<std::uint64_t> result;
    for (int count = 0; count < 8; ++count)
      result.push_back(std::get<next_attempt>(tries.failed(first_place, lost_agent("a"))).delay_ms);
    return result;
  };
  CHECK(pauses(1) == pauses(1));
  CHECK(pauses(1) != pauses(2));
}

TEST_CASE("an input that killed agents on two nodes is poison, even at different places") {
  attempts tries{{}, 1};
  tries.open({0, 0}, retry_place::other_node, true);
  tries.open({0, 1}, retry_place::other_node, true);
  CHECK(std::holds_alternative<next_attempt>(tries.failed({0, 0}, lost_agent("a", true))));
  auto end = tries.failed({0, 1}, lost_agent("b", true));
  REQUIRE(std::holds_alternative<runtime::failure>(end));
  CHECK(std::get<runtime::failure>(end).code == error_code::poison_input);
  CHECK(std::get<runtime::failure>(end).message == "the input has killed agents on nodes a, b");
}

TEST_CASE("killing agents twice on one node is not poison") {
  attempts tries{{}, 1};
  tries.open({0, 0}, retry_place::other_node, true);
  CHECK(std::holds_alternative<next_attempt>(tries.failed({0, 0}, lost_agent("a", true))));
  CHECK(std::holds_alternative<next_attempt>(tries.failed({0, 0}, lost_agent("a", true))));
}

TEST_CASE("places with data of their own do not poison each other, and neither do other steps") {
  attempts tries{{}, 1};
  tries.open({0, 0}, retry_place::same_node, false);
  tries.open({0, 1}, retry_place::same_node, false);
  tries.open({1, 1}, retry_place::other_node, true);
  CHECK(std::holds_alternative<next_attempt>(tries.failed({0, 0}, lost_agent("a", true))));
  CHECK(std::holds_alternative<next_attempt>(tries.failed({0, 1}, lost_agent("b", true))));
  CHECK(std::holds_alternative<next_attempt>(tries.failed({1, 1}, lost_agent("c", true))));
}

TEST_CASE("a full node is no attempt, excludes nothing, and is asked a bounded number of times") {
  auto tries = opened();
  for (std::uint32_t count = 0; count < refusals_max; ++count) {
    auto decision = tries.failed(first_place, refusal("a", error_code::overloaded));
    REQUIRE(std::holds_alternative<next_attempt>(decision));
    CHECK(tries.avoided_for(first_place).empty());
  }
  auto end = tries.failed(first_place, refusal("a", error_code::overloaded));
  REQUIRE(std::holds_alternative<runtime::failure>(end));
  CHECK(std::get<runtime::failure>(end).code == error_code::overloaded);
}

TEST_CASE("refusals of full nodes do not use up the attempts") {
  auto tries = opened();
  for (int count = 0; count < 4; ++count)
    tries.failed(first_place, refusal("a", error_code::overloaded));
  CHECK(std::holds_alternative<next_attempt>(tries.failed(first_place, lost_agent("a"))));
  CHECK(std::holds_alternative<next_attempt>(tries.failed(first_place, lost_agent("b"))));
  CHECK(std::holds_alternative<runtime::failure>(tries.failed(first_place, lost_agent("c"))));
}

TEST_CASE("a node that drains is no attempt, but is not asked again") {
  auto tries = opened();
  for (auto* node : {"a", "b", "c", "d"})
    CHECK(std::holds_alternative<next_attempt>(
      tries.failed(first_place, refusal(node, error_code::unavailable))));
  CHECK(tries.avoided_for(first_place) == std::set<std::string>{"a", "b", "c", "d"});
  CHECK(std::holds_alternative<next_attempt>(tries.failed(first_place, lost_agent("e"))));
}

TEST_CASE("a place bound to a node that drains gives up after its attempts") {
  auto tries = opened(retry_place::same_node);
  for (int count = 0; count < 2; ++count)
    CHECK(std::holds_alternative<next_attempt>(
      tries.failed(first_place, refusal("a", error_code::unavailable))));
  CHECK(std::holds_alternative<runtime::failure>(
    tries.failed(first_place, refusal("a", error_code::unavailable))));
}

TEST_CASE("a place bound to its node excludes nothing, and ends with its node") {
  auto tries = opened(retry_place::same_node);
  CHECK(std::holds_alternative<next_attempt>(tries.failed(first_place, lost_agent("a"))));
  CHECK(tries.avoided_for(first_place).empty());
  auto end = tries.failed(first_place, refusal("a", error_code::node_lost));
  REQUIRE(std::holds_alternative<runtime::failure>(end));
  CHECK(std::get<runtime::failure>(end).code == error_code::node_lost);
}

TEST_CASE("no node for a retry ends the place with the reasons and what went before") {
  auto tries = opened();
  tries.failed(first_place, lost_agent("a"));
  auto end = tries.failed(
    first_place, {"", {error_code::no_nodes, "1 node was needed", {"node b: draining"}}, false, 2});
  REQUIRE(std::holds_alternative<runtime::failure>(end));
  auto& error = std::get<runtime::failure>(end);
  CHECK(error.code == error_code::no_nodes);
  REQUIRE(error.details.size() == 3);
  CHECK(error.details[0] == "node b: draining");
  CHECK(error.details[1] == "attempt 1 on node a: agent_lost: the agent died");
  CHECK(error.details[2] == "attempt 2: no_nodes: 1 node was needed");
}

TEST_CASE("a place that is opened again has a new budget and goes on counting") {
  auto tries = opened();
  for (const std::uint32_t number : {1, 2}) {
    CHECK(tries.take_number(first_place) == number);
    tries.failed(first_place, lost_agent("a", false, number));
  }
  tries.open(first_place, retry_place::same_node, true);
  CHECK(tries.next_number(first_place) == 3);
  CHECK(tries.avoided_for(first_place).empty());
  CHECK(std::holds_alternative<next_attempt>(tries.failed(first_place, lost_agent("c"))));
}

TEST_CASE("only executions use numbers up: openings, failures and skipped numbers do not") {
  auto tries = opened();
  tries.open(first_place, retry_place::other_node, true);
  auto decision = tries.failed(first_place, lost_agent("a"));
  CHECK(std::get<next_attempt>(decision).attempt == 1);
  tries.skip_numbers(first_place, 4);
  tries.skip_numbers(first_place, 2);
  CHECK(tries.next_number(first_place) == 5);
  CHECK(tries.take_number(first_place) == 5);
}

TEST_CASE("no attempts at all means one") {
  auto tries = opened(retry_place::other_node, {.attempts_max = 0});
  CHECK(std::holds_alternative<runtime::failure>(tries.failed(first_place, lost_agent("a"))));
}
