// Stragglers: a second execution beside one that takes long.
#include <doctest/doctest.h>

#include "tests/actors/engine_run_support.hpp"

using namespace dim;
using namespace dim::actors;
using namespace dim::tests;
using runtime::error_code;

namespace {

run_arguments hedged(pattern kind) {
  auto arguments = arguments_of(kind);
  arguments.spec.hedge_after_ms = 1'000;
  return arguments;
}

/// A single job whose execution is at node "a", and its hedge, which waits for a node.
struct hedged_run {
  pattern_run run{hedged(pattern::single)};
  execution_request first;
  execution_request second;

  hedged_run() {
    first = requests_in(run.start({}, begin_ms)).at(0);
    run.placed(placement(first, "a"), begin_ms);
    second = requests_in(run.look_at_clock(begin_ms + 1'000)).at(0);
  }
};

}  // namespace

TEST_CASE("an execution that runs too long gets a second one, on another node, and only one") {
  pattern_run run{hedged(pattern::single)};
  auto first = requests_in(run.start({}, begin_ms)).at(0);
  // Before it has a node it waits, and does not run.
  CHECK(run.next_look_ms() > begin_ms + 200'000);
  run.placed(placement(first, "a"), begin_ms + 50);
  CHECK(run.next_look_ms() == begin_ms + 1'050);
  CHECK(run.look_at_clock(begin_ms + 1'049).empty());
  auto second = requests_in(run.look_at_clock(begin_ms + 1'050)).at(0);
  CHECK(second.execution_id != first.execution_id);
  CHECK(second.attempt == 2);
  CHECK(second.exclude == std::vector<std::string>{"a"});
  run.placed(placement(second, "b"), begin_ms + 1'060);
  CHECK(requests_in(run.look_at_clock(begin_ms + 9'000)).empty());
}

TEST_CASE("without the option nothing is run twice") {
  auto arguments = arguments_of(pattern::single);
  pattern_run run{arguments};
  auto first = requests_in(run.start({}, begin_ms)).at(0);
  run.placed(placement(first, "a"), begin_ms);
  CHECK(run.look_at_clock(begin_ms + 100'000).empty());
}

TEST_CASE("the first answer wins, and the other execution is withdrawn and recorded as cancelled") {
  for (const bool is_second : {false, true}) {
    CAPTURE(is_second);
    hedged_run x;
    x.run.placed(placement(x.second, "b"), begin_ms + 1'010);
    auto& winner = is_second ? x.second : x.first;
    auto& loser = is_second ? x.first : x.second;
    auto end = x.run.ended(good_end(winner, is_second ? "b" : "a"), begin_ms + 1'100);
    CHECK(all_of<withdraw_execution>(end).at(0).execution_id == loser.execution_id);
    CHECK(states_in(end)
          == std::vector{execution_state::completed, execution_state::cancelled});
    CHECK(all_of<engine_finished>(end).size() == 1);
    CHECK(x.run.is_over());
    CHECK(x.run.ended(good_end(loser, "a"), begin_ms + 1'200).empty());
  }
}

TEST_CASE("the failure of one is no failure of the place while the other lives") {
  hedged_run x;
  x.run.placed(placement(x.second, "b"), begin_ms + 1'010);
  auto failed = x.run.ended(bad_end(x.first, "a", error_code::bad_input), begin_ms + 1'100);
  CHECK(states_in(failed) == std::vector{execution_state::failed});
  CHECK(all_of<retry_later>(failed).empty());
  CHECK(all_of<engine_failed>(failed).empty());
  CHECK(all_of<engine_finished>(x.run.ended(good_end(x.second, "b"), begin_ms + 1'200)).size()
        == 1);
}

TEST_CASE("when both have failed there is one retry, off both nodes, which may be hedged again") {
  hedged_run x;
  x.run.placed(placement(x.second, "b"), begin_ms + 1'010);
  x.run.ended(bad_end(x.second, "b", error_code::agent_lost), begin_ms + 1'100);
  auto failed = x.run.ended(bad_end(x.first, "a", error_code::agent_lost), begin_ms + 1'200);
  auto later = all_of<retry_later>(failed);
  REQUIRE(later.size() == 1);
  auto third = requests_in(x.run.retry(later[0].due, begin_ms + 1'500)).at(0);
  CHECK(third.attempt == 3);
  CHECK(third.avoid == std::vector<std::string>{"a", "b"});
  x.run.placed(placement(third, "c"), begin_ms + 1'600);
  CHECK(requests_in(x.run.look_at_clock(begin_ms + 2'600)).size() == 1);
}

TEST_CASE("a hedge that finds no node is forgotten without a trace") {
  hedged_run x;
  CHECK(x.run.ended(bad_end(x.second, "", error_code::no_nodes), begin_ms + 5'000).empty());
  CHECK(all_of<engine_finished>(x.run.ended(good_end(x.first, "a"), begin_ms + 6'000)).size() == 1);
}

TEST_CASE("an execution and its hedge that kill agents on two nodes judge the input") {
  hedged_run x;
  x.run.placed(placement(x.second, "b"), begin_ms + 1'010);
  auto one = bad_end(x.first, "a", error_code::agent_lost);
  one.killed_agent = true;
  auto other = bad_end(x.second, "b", error_code::agent_lost);
  other.killed_agent = true;
  CHECK(all_of<engine_failed>(x.run.ended(one, begin_ms + 1'100)).empty());
  auto end = x.run.ended(other, begin_ms + 1'200);
  CHECK(all_of<engine_failed>(end).at(0).error.code == error_code::poison_input);
}

TEST_CASE("what is bound to a node, or replicated anyway, is not hedged") {
  auto replicated = hedged(pattern::replicated);
  pattern_run many{replicated};
  auto group = requests_in(many.start({}, begin_ms));
  many.placed(placement(group[0], "a"), begin_ms);
  CHECK(requests_in(many.look_at_clock(begin_ms + 5'000)).empty());
  auto collaborative = hedged(pattern::collaborative);
  collaborative.spec.cabinet = "patients";
  pattern_run bound{collaborative};
  bound.start({}, begin_ms);
  auto asked = requests_in(bound.cabinet_found({{"a", "b"}, {}}, begin_ms));
  bound.placed(placement(asked.at(0), "a"), begin_ms);
  CHECK(requests_in(bound.look_at_clock(begin_ms + 5'000)).empty());
}

TEST_CASE("the first model of a comparative job may be hedged, the others follow its answer") {
  pattern_run run{hedged(pattern::comparative)};
  auto first = requests_in(run.start({model_of(2, 2), model_of(2, 2)}, begin_ms)).at(0);
  run.placed(placement(first, "a"), begin_ms);
  auto second = requests_in(run.look_at_clock(begin_ms + 1'000)).at(0);
  auto next = requests_in(run.ended(good_end(second, "b"), begin_ms + 1'100)).at(0);
  CHECK(next.include == std::vector<std::string>{"b"});
  run.placed(placement(next, "b"), begin_ms + 1'200);
  CHECK(requests_in(run.look_at_clock(begin_ms + 5'000)).empty());
}
