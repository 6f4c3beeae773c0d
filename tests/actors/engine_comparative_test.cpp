#include <doctest/doctest.h>

#include "actors/engine/comparative.hpp"
#include "tests/actors/engine_support.hpp"

using namespace dim;
using namespace dim::actors;
using namespace dim::tests;
using runtime::error_code;

namespace {

job_spec vote_job(std::size_t models) {
  job_spec spec;
  spec.kind = pattern::comparative;
  spec.steps = steps(models);
  spec.inputs = {floats("x", {1, 2})};
  return spec;
}

pattern_start specs_for(std::size_t models) {
  pattern_start start;
  start.model_specs.assign(models, model_of(2, 3));
  for (auto& spec : start.model_specs)
    spec.outputs.front().labels = {"zero", "one", "two"};
  return start;
}

place_id voter(std::uint32_t index) {
  return {index, index};
}

const auto zero = scores({0.9F, 0.0F, 0.1F});
const auto one = scores({0.1F, 0.8F, 0.1F});
const auto also_one = scores({0.1F, 0.5F, 0.4F});
const auto two = scores({0.1F, 0.2F, 0.7F});

/// Lets each model answer on node a, in turn; returns the actions after the last one.
pattern_actions answer_all(comparative_pattern& job,
                           const std::vector<models::tensor_list>& answers) {
  auto actions = job.start(specs_for(answers.size()));
  for (std::uint32_t index = 0; index < answers.size(); ++index) {
    REQUIRE(is_only<launch>(actions));
    REQUIRE(only<launch>(actions).group.front().id == voter(index));
    actions = job.answered(answer(voter(index), "a", answers[index]));
  }
  return actions;
}

}  // namespace

TEST_CASE("the models run one after another, all on the node that took the first") {
  comparative_pattern job{vote_job(3)};
  CHECK(job.needs_model_specs());
  auto first = only<launch>(job.start(specs_for(3)));
  REQUIRE(first.group.size() == 1);
  CHECK(first.group.front().include.empty());
  CHECK(first.group.front().retry == retry_place::other_node);
  auto second = only<launch>(job.answered(answer(voter(0), "a", zero)));
  REQUIRE(second.group.size() == 1);
  CHECK(second.group.front().id == voter(1));
  CHECK(second.group.front().include == std::vector<std::string>{"a"});
  CHECK(second.group.front().retry == retry_place::same_node);
  CHECK(second.group.front().inputs == first.group.front().inputs);
}

TEST_CASE("the label of most models wins, and every model's answer is in the result") {
  comparative_pattern job{vote_job(3)};
  auto end = answer_all(job, {zero, one, also_one});
  REQUIRE(is_only<finish>(end));
  auto result = only<finish>(end).result;
  CHECK(result.label == "one");
  CHECK(double{result.agreement_ratio} == doctest::Approx(2.0 / 3));
  CHECK(result.outputs == one);
  CHECK(result.digest == models::canonical_digest(one));
  CHECK_FALSE(result.partial);
  REQUIRE(result.participants.size() == 3);
  CHECK(result.participants[0].label == "zero");
  CHECK(result.participants[0].node_id == "a");
  CHECK(result.participants[2].model == "m2");
  CHECK(result.participants[2].outputs == also_one);
}

TEST_CASE("a weighted vote may go to the minority") {
  auto spec = vote_job(3);
  spec.vote = vote_method::weighted;
  spec.steps[0].weight = 5.0;
  comparative_pattern job{spec};
  auto result = only<finish>(answer_all(job, {zero, one, one})).result;
  CHECK(result.label == "zero");
  CHECK(double{result.agreement_ratio} == doctest::Approx(5.0 / 7));
  CHECK(double{result.participants[0].weight} == 5.0);
}

TEST_CASE("a tie is no_consensus, and tells what each model said") {
  comparative_pattern job{vote_job(2)};
  auto end = answer_all(job, {zero, two});
  REQUIRE(is_only<give_up>(end));
  CHECK(only<give_up>(end).error.code == error_code::no_consensus);
  CHECK(only<give_up>(end).error.details == std::vector<std::string>{"m0:1: zero", "m1:1: two"});
}

TEST_CASE("a tie that abstains completes without a label or outputs") {
  auto spec = vote_job(2);
  spec.tie_abstains = true;
  comparative_pattern job{spec};
  auto result = only<finish>(answer_all(job, {zero, two})).result;
  CHECK(result.label.empty());
  CHECK(result.outputs.empty());
  CHECK(double{result.agreement_ratio} == 0.5);
  CHECK(result.participants.size() == 2);
}

TEST_CASE("a model that fails abstains: it is named, and the others vote") {
  comparative_pattern job{vote_job(3)};
  job.start(specs_for(3));
  job.answered(answer(voter(0), "a", one));
  auto next = job.failed(failure_at(voter(1), "a", error_code::agent_lost));
  REQUIRE(is_only<launch>(next));
  CHECK(only<launch>(next).group.front().id == voter(2));
  auto end = job.answered(answer(voter(2), "a", also_one));
  REQUIRE(is_only<finish>(end));
  auto result = only<finish>(end).result;
  CHECK(result.label == "one");
  CHECK(result.partial);
  CHECK(result.missing == std::vector<std::string>{"m1:1"});
  CHECK(result.participants[1].error.code == error_code::agent_lost);
  CHECK(double{result.agreement_ratio} == 1.0);
}

TEST_CASE("the first model to answer fixes the node, when those before it failed") {
  comparative_pattern job{vote_job(3)};
  job.start(specs_for(3));
  auto second = only<launch>(job.failed(failure_at(voter(0), "a", error_code::bad_model)));
  CHECK(second.group.front().include.empty());
  auto third = only<launch>(job.answered(answer(voter(1), "b", one)));
  CHECK(third.group.front().include == std::vector<std::string>{"b"});
}

TEST_CASE("no vote is taken when half of the models or more fail") {
  comparative_pattern job{vote_job(2)};
  job.start(specs_for(2));
  job.failed(failure_at(voter(0), "a", error_code::bad_model));
  auto end = job.answered(answer(voter(1), "a", one));
  REQUIRE(is_only<give_up>(end));
  CHECK(only<give_up>(end).error.code == error_code::bad_model);
  CHECK(only<give_up>(end).error.details == std::vector<std::string>{"m0:1: bad_model: broken"});
}

TEST_CASE("an answer without a label counts as a failure of its model") {
  comparative_pattern job{vote_job(3)};
  auto end = answer_all(job, {one, {floats("y", {})}, one});
  REQUIRE(is_only<finish>(end));
  CHECK(only<finish>(end).result.missing == std::vector<std::string>{"m1:1"});
}

TEST_CASE("when the node is lost all models run again on another one") {
  for (auto code : {error_code::node_lost, error_code::no_nodes}) {
    comparative_pattern job{vote_job(2)};
    job.start(specs_for(2));
    job.answered(answer(voter(0), "a", zero));
    auto again = job.failed(failure_at(voter(1), "a", code));
    REQUIRE(is_only<launch>(again));
    const auto plan = only<launch>(again).group.front();
    CHECK(plan.id == voter(0));
    CHECK(plan.include.empty());
    CHECK(plan.avoid == std::vector<std::string>{"a"});
    job.answered(answer(voter(0), "b", one));
    auto end = job.answered(answer(voter(1), "b", one));
    REQUIRE(is_only<finish>(end));
    auto result = only<finish>(end).result;
    CHECK(result.label == "one");
    REQUIRE(result.participants.size() == 2);
    CHECK(result.participants[0].node_id == "b");
  }
}

TEST_CASE("the whole run moves at most as often as the job may be tried") {
  comparative_pattern job{vote_job(2)};
  auto actions = job.start(specs_for(2));
  for (auto node : {"a", "b", "c"}) {
    REQUIRE(is_only<launch>(actions));
    job.answered(answer(voter(0), node, zero));
    actions = job.failed(failure_at(voter(1), node, error_code::node_lost));
  }
  REQUIRE(is_only<give_up>(actions));
  CHECK(only<give_up>(actions).error.code == error_code::node_lost);
}

TEST_CASE("no node for the first model is the end of the job") {
  comparative_pattern job{vote_job(3)};
  job.start(specs_for(3));
  auto end = job.failed(failure_at(voter(0), "", error_code::no_nodes));
  REQUIRE(is_only<give_up>(end));
  CHECK(only<give_up>(end).error.code == error_code::no_nodes);
}

TEST_CASE("large outputs are loaded for the label, and stay detached in the result") {
  comparative_pattern job{vote_job(1)};
  job.start(specs_for(1));
  auto load = job.answered(answer(voter(0), "a", all_detached(two)));
  REQUIRE(is_only<load_outputs>(load));
  auto end = job.outputs_loaded(voter(0), two);
  REQUIRE(is_only<finish>(end));
  CHECK(only<finish>(end).result.label == "two");
  CHECK(only<finish>(end).result.outputs == all_detached(two));
}

TEST_CASE("a model whose outputs can not be loaded abstains, and has fixed the node all the same") {
  comparative_pattern job{vote_job(3)};
  job.start(specs_for(3));
  job.answered(answer(voter(0), "a", all_detached(two)));
  auto second = only<launch>(
    job.outputs_loaded(voter(0), runtime::fail(error_code::not_found, "gone")));
  CHECK(second.group.front().include == std::vector<std::string>{"a"});
  job.answered(answer(voter(1), "a", one));
  auto end = only<finish>(job.answered(answer(voter(2), "a", one)));
  CHECK(end.result.missing == std::vector<std::string>{"m0:1"});
  CHECK(end.result.participants[0].node_id == "a");
}

TEST_CASE("when the time is over those who have answered vote, if they are more than half") {
  comparative_pattern early{vote_job(3)};
  early.start(specs_for(3));
  early.answered(answer(voter(0), "a", one));
  CHECK(only<give_up>(early.time_is_up()).error.code == error_code::timeout);
  comparative_pattern late{vote_job(3)};
  late.start(specs_for(3));
  late.answered(answer(voter(0), "a", one));
  late.answered(answer(voter(1), "a", one));
  auto end = late.time_is_up();
  REQUIRE(is_only<finish>(end));
  CHECK(only<finish>(end).result.label == "one");
  CHECK(only<finish>(end).result.missing == std::vector<std::string>{"m2:1"});
}
