#include <algorithm>
#include <set>

#include <doctest/doctest.h>

#include "tests/actors/engine_run_support.hpp"

using namespace dim;
using namespace dim::actors;
using namespace dim::tests;
using runtime::error_code;

TEST_CASE("a replica keeps off nodes of other replicas, and rather off one that failed it") {
  auto arguments = arguments_of(pattern::replicated);
  pattern_run run{arguments};
  auto group = requests_in(run.start({}, begin_ms));
  run.placed(placement(group[0], "a", "alice"), begin_ms);
  run.placed(placement(group[1], "b", "bob"), begin_ms);
  run.placed(placement(group[2], "c", "bob"), begin_ms);
  auto due =
    all_of<retry_later>(run.ended(bad_end(group[1], "b", error_code::agent_lost), begin_ms))
      .at(0)
      .due;
  auto retried = requests_in(run.retry(due, begin_ms)).at(0);
  CHECK(std::set<std::string>(retried.exclude.begin(), retried.exclude.end())
        == std::set<std::string>{"a", "c"});
  CHECK(retried.avoid == std::vector<std::string>{"b"});
  CHECK(retried.avoid_owners == std::vector<std::string>{"alice", "bob"});
}

TEST_CASE("replicas look for nodes one at a time, since each must know where the others went") {
  pattern_run run{arguments_of(pattern::replicated)};
  auto group = requests_in(run.start({}, begin_ms));
  std::vector<retry_due> due;
  for (std::size_t index = 0; index < 2; ++index) {
    auto node = std::string(1, "ab"[index]);
    run.placed(placement(group[index], node), begin_ms);
    due.push_back(
      all_of<retry_later>(run.ended(bad_end(group[index], node, error_code::agent_lost), begin_ms))
        .at(0)
        .due);
  }
  run.placed(placement(group[2], "c"), begin_ms);
  auto first = requests_in(run.retry(due[0], begin_ms));
  REQUIRE(first.size() == 1);
  CHECK(requests_in(run.retry(due[1], begin_ms)).empty());
  auto second = requests_in(run.placed(placement(first[0], "d"), begin_ms));
  REQUIRE(second.size() == 1);
  CHECK(std::count(second[0].exclude.begin(), second[0].exclude.end(), "d") == 1);
}

TEST_CASE("once no further node was found, other replicas do not wait for one") {
  pattern_run run{arguments_of(pattern::replicated)};
  auto group = requests_in(run.start({}, begin_ms));
  std::vector<retry_due> due;
  for (std::size_t index = 0; index < 3; ++index) {
    auto node = std::string(1, "abc"[index]);
    run.placed(placement(group[index], node), begin_ms);
    due.push_back(
      all_of<retry_later>(run.ended(bad_end(group[index], node, error_code::agent_lost), begin_ms))
        .at(0)
        .due);
  }
  auto first = requests_in(run.retry(due[0], begin_ms)).at(0);
  run.retry(due[1], begin_ms);
  CHECK(requests_in(run.ended(bad_end(first, "", error_code::no_nodes), begin_ms)).empty());
  auto end = run.retry(due[2], begin_ms);
  REQUIRE(all_of<engine_failed>(end).size() == 1);
  CHECK(all_of<engine_failed>(end)[0].error.code == error_code::no_nodes);
  CHECK(run.is_over());
}

TEST_CASE("a full node is free for other replicas again") {
  pattern_run run{arguments_of(pattern::replicated)};
  auto group = requests_in(run.start({}, begin_ms));
  for (std::size_t index = 0; index < 3; ++index)
    run.placed(placement(group[index], std::string(1, "abc"[index])), begin_ms);
  auto due =
    all_of<retry_later>(run.ended(bad_end(group[0], "a", error_code::overloaded), begin_ms))
      .at(0)
      .due;
  auto again = requests_in(run.retry(due, begin_ms)).at(0);
  CHECK(again.exclude == std::vector<std::string>{"b", "c"});
}

TEST_CASE("consensus scores those who answered, then each straggler once, when it answers") {
  pattern_run run{arguments_of(pattern::replicated)};
  auto group = requests_in(run.start({}, begin_ms));
  for (std::size_t index = 0; index < 3; ++index)
    run.placed(placement(group[index], std::string(1, "abc"[index])), begin_ms);
  run.ended(good_end(group[0], "a"), begin_ms);
  auto end = run.ended(good_end(group[2], "c"), begin_ms + 7);
  auto finished = all_of<engine_finished>(end).at(0);
  CHECK(finished.result.verified.reached_at == begin_ms + 7);
  REQUIRE(finished.scores.size() == 2);
  CHECK(finished.scores[0] == node_scored{"a", group[0].execution_id, 5});
  CHECK(finished.scores[1] == node_scored{"c", group[2].execution_id, 5});
  CHECK(all_of<engine_done>(end).empty());
  auto verdicts = all_of<execution_changed>(end);
  CHECK(verdicts.back().record.verdict == "agreed");
  CHECK(verdicts.back().record.outputs.empty());
  auto straggler = good_end(group[1], "b", scores({1, 0}));
  auto last = run.ended(straggler, begin_ms + 9);
  auto scored = all_of<straggler_scored>(last);
  REQUIRE(scored.size() == 1);
  CHECK(scored[0].score == node_scored{"b", group[1].execution_id, -10});
  CHECK(scored[0].record.verdict == "disagreed");
  CHECK(scored[0].record.outputs == scores({1, 0}));
  CHECK(std::holds_alternative<engine_done>(last.back()));
  CHECK(run.ended(straggler, begin_ms + 9).empty());
}

TEST_CASE("with consensus reached, what has no node yet is withdrawn and is no straggler") {
  pattern_run run{arguments_of(pattern::replicated)};
  auto group = requests_in(run.start({}, begin_ms));
  for (std::size_t index = 0; index < 3; ++index)
    run.placed(placement(group[index], std::string(1, "abc"[index])), begin_ms);
  auto due =
    all_of<retry_later>(run.ended(bad_end(group[1], "b", error_code::agent_lost), begin_ms))
      .at(0)
      .due;
  auto again = requests_in(run.retry(due, begin_ms)).at(0);
  run.ended(good_end(group[0], "a"), begin_ms);
  auto end = run.ended(good_end(group[2], "c"), begin_ms);
  auto withdrawn = all_of<withdraw_execution>(end);
  REQUIRE(withdrawn.size() == 1);
  CHECK(withdrawn[0].execution_id == again.execution_id);
  CHECK(run.is_over());
}

TEST_CASE("stragglers have a limited time") {
  auto arguments = arguments_of(pattern::replicated);
  arguments.straggler_wait_ms = 500;
  pattern_run run{arguments};
  auto group = requests_in(run.start({}, begin_ms));
  for (std::size_t index = 0; index < 3; ++index)
    run.placed(placement(group[index], std::string(1, "abc"[index])), begin_ms);
  run.ended(good_end(group[0], "a"), begin_ms);
  run.ended(good_end(group[2], "c"), begin_ms + 100);
  CHECK(run.next_look_ms() == begin_ms + 600);
  CHECK(run.look_at_clock(begin_ms + 599).empty());
  auto end = run.look_at_clock(begin_ms + 600);
  REQUIRE(end.size() == 3);
  CHECK(std::get<withdraw_execution>(end[0]).execution_id == group[1].execution_id);
  CHECK(std::get<execution_changed>(end[1]).record.state == execution_state::cancelled);
  CHECK(std::holds_alternative<engine_done>(end[2]));
}

TEST_CASE("a straggler that fails is recorded, and neither tried again nor scored") {
  pattern_run run{arguments_of(pattern::replicated)};
  auto group = requests_in(run.start({}, begin_ms));
  for (std::size_t index = 0; index < 3; ++index)
    run.placed(placement(group[index], std::string(1, "abc"[index])), begin_ms);
  run.ended(good_end(group[0], "a"), begin_ms);
  run.ended(good_end(group[2], "c"), begin_ms);
  auto end = run.ended(bad_end(group[1], "b", error_code::agent_lost), begin_ms);
  REQUIRE(end.size() == 2);
  CHECK(std::get<execution_changed>(end[0]).record.state == execution_state::failed);
  CHECK(std::holds_alternative<engine_done>(end[1]));
}

TEST_CASE("no consensus scores nobody") {
  auto arguments = arguments_of(pattern::replicated);
  arguments.spec.compare = comparison::exact;
  pattern_run run{arguments};
  auto group = requests_in(run.start({}, begin_ms));
  run_effects last;
  for (std::size_t index = 0; index < 3; ++index)
    last = run.ended(
      good_end(group[index], std::string(1, "abc"[index]), scores({static_cast<float>(index)})),
      begin_ms);
  auto added = requests_in(last).at(0);
  auto end = run.ended(bad_end(added, "", error_code::no_nodes), begin_ms);
  CHECK(all_of<engine_failed>(end).at(0).error.code == error_code::no_consensus);
  CHECK(all_of<straggler_scored>(end).empty());
  for (auto& news : all_of<execution_changed>(end))
    CHECK(news.record.verdict.empty());
  CHECK(run.is_over());
}
