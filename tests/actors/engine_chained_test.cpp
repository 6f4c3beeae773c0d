#include <doctest/doctest.h>

#include "actors/engine/chained.hpp"
#include "actors/engine/single.hpp"
#include "tests/actors/engine_support.hpp"

using namespace dim;
using namespace dim::actors;
using namespace dim::tests;
using runtime::error_code;

namespace {

/// Three steps: 2 numbers to 3, to 3, to 1.
job_spec chain_job() {
  job_spec spec;
  spec.kind = pattern::chained;
  spec.steps = steps(3);
  spec.inputs = {floats("x", {1, 2})};
  return spec;
}

pattern_start chain_start() {
  pattern_start start;
  start.model_specs = {model_of(2, 3), model_of(3, 3), model_of(3, 1)};
  return start;
}

place_id step(std::uint32_t index) {
  return {index, 0};
}

}  // namespace

TEST_CASE("a single job runs once and its answer is the result") {
  job_spec spec;
  spec.steps = steps(1);
  spec.inputs = {floats("x", {1})};
  single_pattern job{spec};
  auto begin = only<launch>(job.start({}));
  REQUIRE(begin.group.size() == 1);
  CHECK(begin.group.front().inputs == spec.inputs);
  auto end = job.answered(answer({0, 0}, "a", scores({1})));
  REQUIRE(is_only<finish>(end));
  CHECK(only<finish>(end).result.outputs == scores({1}));
  CHECK(only<finish>(end).result.digest == models::canonical_digest(scores({1})));
}

TEST_CASE("a single job whose only place failed fails with the same error") {
  single_pattern job{job_spec{}};
  job.start({});
  auto end = job.failed(failure_at({0, 0}, "a", error_code::bad_input, "broken", {"why"}));
  REQUIRE(is_only<give_up>(end));
  CHECK(only<give_up>(end).error.details == std::vector<std::string>{"why"});
  CHECK_FALSE(only<give_up>(end).rolled_back);
}

TEST_CASE("a chain stores each step's outputs before the next starts, and ends with the last") {
  chained_pattern job{chain_job()};
  auto begin = only<launch>(job.start(chain_start()));
  CHECK(begin.group.front().id == step(0));
  CHECK(begin.group.front().inputs == chain_job().inputs);
  auto store = job.answered(answer(step(0), "a", scores({1, 2, 3})));
  REQUIRE(is_only<store_step>(store));
  CHECK(only<store_step>(store).step == 0);
  CHECK(only<store_step>(store).outputs == scores({1, 2, 3}));
  auto second = only<launch>(job.step_stored(0));
  CHECK(second.group.front().id == step(1));
  CHECK(second.group.front().inputs == models::tensor_list{floats("x", {1, 2, 3})});
  job.answered(answer(step(1), "b", scores({4, 5, 6})));
  job.step_stored(1);
  auto end = job.answered(answer(step(2), "c", scores({7})));
  REQUIRE(is_only<finish>(end));
  CHECK(only<finish>(end).result.outputs == scores({7}));
}

TEST_CASE("a chain resumes after the last stored step, from its outputs") {
  chained_pattern job{chain_job()};
  auto start = chain_start();
  start.steps_done = 2;
  start.stored_outputs = scores({4, 5, 6});
  auto begin = only<launch>(job.start(start));
  CHECK(begin.group.front().id == step(2));
  CHECK(begin.group.front().inputs == models::tensor_list{floats("x", {4, 5, 6})});
}

TEST_CASE("a step that fails for good rolls the chain back and is named") {
  chained_pattern job{chain_job()};
  job.start(chain_start());
  job.answered(answer(step(0), "a", scores({1, 2, 3})));
  job.step_stored(0);
  auto end = job.failed(failure_at(step(1), "b", error_code::agent_lost, "the agent died"));
  REQUIRE(is_only<give_up>(end));
  CHECK(only<give_up>(end).rolled_back);
  CHECK(only<give_up>(end).error.code == error_code::agent_lost);
  CHECK(only<give_up>(end).error.message == "step 1 (model m1:1): the agent died");
}

TEST_CASE("a first step that fails has nothing to roll back") {
  chained_pattern job{chain_job()};
  job.start(chain_start());
  CHECK_FALSE(
    only<give_up>(job.failed(failure_at(step(0), "a", error_code::bad_input))).rolled_back);
}

TEST_CASE("outputs that do not fit the next step fail the chain, naming the step") {
  chained_pattern job{chain_job()};
  job.start(chain_start());
  job.answered(answer(step(0), "a", scores({1, 2})));
  auto end = job.step_stored(0);
  REQUIRE(is_only<give_up>(end));
  CHECK(only<give_up>(end).rolled_back);
  CHECK(only<give_up>(end).error.code == error_code::bad_input);
  CHECK(only<give_up>(end).error.message.find("step 1 (model m1:1)") == 0);
  CHECK(only<give_up>(end).error.details.size() == 1);
}

TEST_CASE("only the acknowledgement of the present step moves a chain on, and only once") {
  chained_pattern job{chain_job()};
  job.start(chain_start());
  CHECK(job.step_stored(0).empty());
  job.answered(answer(step(0), "a", scores({1, 2, 3})));
  CHECK(job.step_stored(1).empty());
  CHECK(is_only<launch>(job.step_stored(0)));
  CHECK(job.step_stored(0).empty());
}

TEST_CASE("a chain that runs out of time names the step, and rolls back") {
  chained_pattern job{chain_job()};
  job.start(chain_start());
  job.answered(answer(step(0), "a", scores({1, 2, 3})));
  job.step_stored(0);
  auto end = only<give_up>(job.time_is_up());
  CHECK(end.error.code == error_code::timeout);
  CHECK(end.error.message.find("step 1") == 0);
  CHECK(end.rolled_back);
}

TEST_CASE("a chain with nothing left to run gives up instead of going on") {
  chained_pattern job{chain_job()};
  auto start = chain_start();
  start.steps_done = 3;
  CHECK(only<give_up>(job.start(start)).error.code == error_code::internal);
}
