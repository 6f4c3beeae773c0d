#include <doctest/doctest.h>

#include "actors/engine/collaborative.hpp"
#include "models/numbers.hpp"
#include "tests/actors/engine_support.hpp"

using namespace dim;
using namespace dim::actors;
using namespace dim::tests;
using runtime::error_code;

namespace {

job_spec cabinet_job(std::uint32_t nodes_min = 1, std::uint32_t nodes_max = 0) {
  job_spec spec;
  spec.kind = pattern::collaborative;
  spec.steps = steps(1);
  spec.cabinet = "patients";
  spec.nodes.min = nodes_min;
  spec.nodes.max = nodes_max;
  return spec;
}

/// What a node answers: the mean of its rows.
models::tensor_list reduced(double mean) {
  return {models::tensor_of_doubles("risk", {1}, {mean})};
}

double value_of(const job_result& result) {
  auto numbers = models::to_doubles(result.outputs.at(0));
  return numbers && numbers->size() == 1 ? numbers->front() : -1;
}

place_id slot(std::uint32_t number) {
  return {0, number};
}

}  // namespace

TEST_CASE("every holder of the cabinet runs on its own rows, bound to its node") {
  collaborative_pattern job{cabinet_job()};
  CHECK(is_only<find_holders>(job.start({})));
  auto launches = all_of<launch>(job.cabinet_found({{"c", "a", "b"}, {}}));
  REQUIRE(launches.size() == 3);
  for (std::uint32_t index = 0; index < 3; ++index) {
    REQUIRE(launches[index].group.size() == 1);
    auto& plan = launches[index].group.front();
    CHECK(plan.id == slot(index));
    CHECK(plan.include == std::vector<std::string>{std::string(1, "abc"[index])});
    CHECK(plan.retry == retry_place::same_node);
    CHECK_FALSE(plan.shared_input);
  }
}

TEST_CASE("the answers are averaged by their rows, with the participants sorted by node") {
  collaborative_pattern job{cabinet_job()};
  job.start({});
  job.cabinet_found({{"b", "a"}, {}});
  CHECK(job.answered(answer(slot(1), "b", reduced(4.0), 300)).empty());
  auto end = job.answered(answer(slot(0), "a", reduced(0.0), 100));
  REQUIRE(is_only<finish>(end));
  auto result = only<finish>(end).result;
  CHECK(value_of(result) == 3.0);
  CHECK(result.digest == models::canonical_digest(result.outputs));
  CHECK(result.rows == 400);
  CHECK_FALSE(result.partial);
  CHECK(result.missing.empty());
  REQUIRE(result.participants.size() == 2);
  CHECK(result.participants[0].node_id == "a");
  CHECK(result.participants[0].rows == 100);
  CHECK(result.participants[1].outputs == reduced(4.0));
  CHECK(result.participants[1].model == "m0");
  CHECK_FALSE(only<finish>(end).await_stragglers);
}

TEST_CASE("the methods of aggregation are those of the submission") {
  const std::vector<std::pair<aggregation, double>> expected{
    {aggregation::mean, 3.0}, {aggregation::median, 2.0}, {aggregation::trimmed_mean, 2.0}};
  for (auto& [method, value] : expected) {
    CAPTURE(to_string(method));
    auto spec = cabinet_job();
    spec.aggregate = method;
    spec.trim = 0.34;
    collaborative_pattern job{spec};
    job.start({});
    job.cabinet_found({{"a", "b", "c"}, {}});
    job.answered(answer(slot(0), "a", reduced(0.0), 5));
    job.answered(answer(slot(1), "b", reduced(7.0), 1));
    auto end = job.answered(answer(slot(2), "c", reduced(2.0), 1));
    REQUIRE(is_only<finish>(end));
    CHECK(value_of(only<finish>(end).result) == doctest::Approx(value));
  }
}

TEST_CASE("a participant that fails is named, and the result is partial") {
  collaborative_pattern job{cabinet_job()};
  job.start({});
  job.cabinet_found({{"a", "b"}, {}});
  CHECK(job.failed(failure_at(slot(0), "a", error_code::node_lost)).empty());
  auto end = job.answered(answer(slot(1), "b", reduced(4.0), 10));
  REQUIRE(is_only<finish>(end));
  auto result = only<finish>(end).result;
  CHECK(result.partial);
  CHECK(result.missing == std::vector<std::string>{"a"});
  CHECK(result.rows == 10);
  CHECK(result.participants[0].error.code == error_code::node_lost);
  CHECK(value_of(result) == 4.0);
}

TEST_CASE("too few holders is no_nodes, with the reason of each node") {
  collaborative_pattern job{cabinet_job(2)};
  job.start({});
  candidate_score refused;
  refused.node_name = "gamma";
  refused.refusal = "does not hold the cabinet";
  auto end = job.cabinet_found({{"a"}, {refused}});
  REQUIRE(is_only<give_up>(end));
  CHECK(only<give_up>(end).error.code == error_code::no_nodes);
  CHECK(only<give_up>(end).error.details
        == std::vector<std::string>{"node gamma: does not hold the cabinet"});
}

TEST_CASE("a cabinet that nobody holds is no_nodes even when no least number is asked for") {
  collaborative_pattern job{cabinet_job(0)};
  job.start({});
  CHECK(only<give_up>(job.cabinet_found({})).error.code == error_code::no_nodes);
}

TEST_CASE("the job gives up as soon as too few can still answer") {
  collaborative_pattern job{cabinet_job(2)};
  job.start({});
  job.cabinet_found({{"a", "b", "c"}, {}});
  CHECK(job.failed(failure_at(slot(0), "a", error_code::agent_lost)).empty());
  auto end = job.failed(failure_at(slot(2), "c", error_code::node_lost, "gone"));
  REQUIRE(is_only<give_up>(end));
  CHECK(only<give_up>(end).error.code == error_code::no_nodes);
  CHECK(only<give_up>(end).error.details
        == std::vector<std::string>{"node a: agent_lost: broken", "node c: node_lost: gone"});
}

TEST_CASE("failures of one kind keep their code") {
  collaborative_pattern job{cabinet_job(2)};
  job.start({});
  job.cabinet_found({{"a", "b"}, {}});
  auto end = job.failed(failure_at(slot(0), "a", error_code::bad_model));
  REQUIRE(is_only<give_up>(end));
  CHECK(only<give_up>(end).error.code == error_code::bad_model);
}

TEST_CASE("no more nodes run than the submission allows") {
  collaborative_pattern job{cabinet_job(1, 2)};
  job.start({});
  auto launches = all_of<launch>(job.cabinet_found({{"c", "b", "a"}, {}}));
  REQUIRE(launches.size() == 2);
  CHECK(launches[1].group.front().include == std::vector<std::string>{"b"});
}

TEST_CASE("large reduced outputs are loaded before they are aggregated") {
  collaborative_pattern job{cabinet_job()};
  job.start({});
  job.cabinet_found({{"a"}, {}});
  auto load = job.answered(answer(slot(0), "a", all_detached(reduced(2.0)), 3));
  REQUIRE(is_only<load_outputs>(load));
  auto end = job.outputs_loaded(slot(0), reduced(2.0));
  REQUIRE(is_only<finish>(end));
  CHECK(value_of(only<finish>(end).result) == 2.0);
  CHECK(only<finish>(end).result.rows == 3);
}

TEST_CASE("outputs that can not be loaded count as no answer") {
  collaborative_pattern job{cabinet_job()};
  job.start({});
  job.cabinet_found({{"a", "b"}, {}});
  job.answered(answer(slot(0), "a", all_detached(reduced(2.0)), 3));
  CHECK(job.outputs_loaded(slot(0), runtime::fail(error_code::corrupt, "bad bytes")).empty());
  auto end = job.answered(answer(slot(1), "b", reduced(5.0), 1));
  REQUIRE(is_only<finish>(end));
  CHECK(only<finish>(end).result.missing == std::vector<std::string>{"a"});
}

TEST_CASE("answers that do not fit together fail the job") {
  collaborative_pattern job{cabinet_job()};
  job.start({});
  job.cabinet_found({{"a", "b"}, {}});
  job.answered(answer(slot(0), "a", reduced(2.0), 3));
  auto end =
    job.answered(answer(slot(1), "b", {models::tensor_of_doubles("risk", {2}, {1.0, 2.0})}, 3));
  REQUIRE(is_only<give_up>(end));
  CHECK(only<give_up>(end).error.code == error_code::bad_model);
}

TEST_CASE("when the time is over, those who have answered are aggregated, if they are enough") {
  for (std::uint32_t nodes_min : {1u, 2u}) {
    collaborative_pattern job{cabinet_job(nodes_min)};
    job.start({});
    job.cabinet_found({{"a", "b"}, {}});
    job.answered(answer(slot(1), "b", reduced(4.0), 10));
    auto end = job.time_is_up();
    if (nodes_min == 2) {
      CHECK(only<give_up>(end).error.code == error_code::timeout);
      continue;
    }
    REQUIRE(is_only<finish>(end));
    CHECK(only<finish>(end).result.partial);
    CHECK(only<finish>(end).result.missing == std::vector<std::string>{"a"});
    CHECK(only<finish>(end).result.participants[0].error.code == error_code::timeout);
  }
}

TEST_CASE("a job whose holders are not known yet when time is over fails with timeout") {
  collaborative_pattern job{cabinet_job()};
  job.start({});
  CHECK(only<give_up>(job.time_is_up()).error.code == error_code::timeout);
}
