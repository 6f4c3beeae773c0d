#include <doctest/doctest.h>

#include "actors/engine/replicated.hpp"
#include "tests/actors/engine_support.hpp"

using namespace dim;
using namespace dim::actors;
using namespace dim::tests;
using runtime::error_code;

namespace {

job_spec replicated_job(std::uint32_t redundancy = 3, std::uint32_t consensus = 2,
                        comparison compare = comparison::automatic) {
  job_spec spec;
  spec.kind = pattern::replicated;
  spec.steps = steps(1);
  spec.inputs = {floats("x", {1, 2})};
  spec.redundancy = redundancy;
  spec.consensus = consensus;
  spec.compare = compare;
  return spec;
}

place_id slot(std::uint32_t number) {
  return {0, number};
}

const auto good = scores({0.1F, 0.9F});
const auto bad = scores({0.9F, 0.1F});
const auto worse = scores({5.0F, 0.1F});
/// Within the tolerance of `good`, with another digest.
const auto nearly_good = scores({0.1F, 0.9000001F});

}  // namespace

TEST_CASE("A101-A104: A and B give one answer and C another: A and B's answer wins, C is wrong") {
  replicated_pattern job{replicated_job()};
  auto begin = job.start({});
  REQUIRE(is_only<launch>(begin));
  CHECK(only<launch>(begin).group.size() == 3);
  CHECK(only<launch>(begin).distinct_nodes);
  // A102: fewer than k answers decide nothing.
  CHECK(job.answered(answer(slot(0), "A", good)).empty());
  CHECK(job.answered(answer(slot(2), "C", bad)).empty());
  // A103: the most common answer has k votes.
  auto end = job.answered(answer(slot(1), "B", good));
  REQUIRE(is_only<finish>(end));
  auto done = only<finish>(end);
  CHECK(done.result.outputs == good);
  CHECK(done.result.digest == models::canonical_digest(good));
  CHECK(done.result.verified.votes == 3);
  CHECK(done.result.verified.reached);
  CHECK(done.result.verified.agreeing_nodes == std::vector<std::string>{"A", "B"});
  CHECK(done.result.verified.disagreeing_nodes == std::vector<std::string>{"C"});
  CHECK(done.result.verified.consensus_digest == models::canonical_digest(good));
  CHECK(done.verdicts == std::vector<verdict>{{"A/0/0", true}, {"C/0/2", false}, {"B/0/1", true}});
}

TEST_CASE("two equal answers finish a job of three, and the third is judged when it comes") {
  for (auto late_is_good : {true, false}) {
    replicated_pattern job{replicated_job()};
    job.start({});
    job.answered(answer(slot(0), "a", good));
    auto end = job.answered(answer(slot(1), "b", good));
    REQUIRE(is_only<finish>(end));
    CHECK(only<finish>(end).await_stragglers);
    CHECK(only<finish>(end).verdicts.size() == 2);
    auto late = job.answered(answer(slot(2), "c", late_is_good ? nearly_good : bad));
    REQUIRE(is_only<judge_straggler>(late));
    CHECK(only<judge_straggler>(late).judged == verdict{"c/0/2", late_is_good});
  }
}

TEST_CASE("answers within tolerance agree, and the result is one of them byte for byte") {
  replicated_pattern job{replicated_job()};
  job.start({});
  job.answered(answer(slot(0), "a", good));
  auto end = job.answered(answer(slot(1), "b", nearly_good));
  REQUIRE(is_only<finish>(end));
  auto result = only<finish>(end).result;
  CHECK((result.outputs == good || result.outputs == nearly_good));
  CHECK(result.digest == models::canonical_digest(result.outputs));
  CHECK(result.verified.method == comparison::tensor);
}

TEST_CASE("exact comparison wants equal digests") {
  replicated_pattern job{replicated_job(3, 2, comparison::exact)};
  job.start({});
  job.answered(answer(slot(0), "a", good));
  CHECK(job.answered(answer(slot(1), "b", nearly_good)).empty());
  auto end = job.answered(answer(slot(2), "c", nearly_good));
  REQUIRE(is_only<finish>(end));
  CHECK(only<finish>(end).result.outputs == nearly_good);
  CHECK(only<finish>(end).result.verified.method == comparison::exact);
}

TEST_CASE("comparison by label looks at the best class only") {
  replicated_pattern job{replicated_job(3, 2, comparison::label)};
  CHECK(job.needs_model_specs());
  job.start({{model_of(2, 2)}, 0, {}});
  job.answered(answer(slot(0), "a", scores({0.2F, 0.8F})));
  auto end = job.answered(answer(slot(1), "b", scores({0.3F, 0.7F})));
  REQUIRE(is_only<finish>(end));
  CHECK(only<finish>(end).result.verified.method == comparison::label);
}

TEST_CASE("integer answers are compared exactly by default") {
  replicated_pattern job{replicated_job()};
  job.start({});
  job.answered(answer(slot(0), "a", {integers("y", {1'000'000})}));
  CHECK(job.answered(answer(slot(1), "b", {integers("y", {1'000'001})})).empty());
  auto end = job.answered(answer(slot(2), "c", {integers("y", {1'000'000})}));
  REQUIRE(is_only<finish>(end));
  CHECK(only<finish>(end).result.verified.method == comparison::exact);
}

TEST_CASE("without consensus one node is added at a time, until one of them decides") {
  replicated_pattern job{replicated_job()};
  job.start({});
  job.answered(answer(slot(0), "a", good));
  job.answered(answer(slot(1), "b", bad));
  auto more = job.answered(answer(slot(2), "c", worse));
  REQUIRE(is_only<launch>(more));
  CHECK(only<launch>(more).group.size() == 1);
  CHECK(only<launch>(more).group.front().id == slot(3));
  CHECK(only<launch>(more).distinct_nodes);
  auto end = job.answered(answer(slot(3), "d", bad));
  REQUIRE(is_only<finish>(end));
  CHECK(only<finish>(end).result.outputs == bad);
  CHECK(only<finish>(end).result.verified.votes == 4);
}

TEST_CASE("after 2n+1 different answers there is no consensus, and nobody is punished") {
  replicated_pattern job{replicated_job(2, 2)};
  job.start({});
  std::uint32_t launched = 2;
  pattern_actions last;
  for (std::uint32_t index = 0; index < launched; ++index) {
    last = job.answered(
      answer(slot(index), "n" + std::to_string(index), scores({static_cast<float>(index), 100})));
    launched += static_cast<std::uint32_t>(all_of<launch>(last).size());
  }
  CHECK(launched == 5);
  REQUIRE(is_only<give_up>(last));
  CHECK(only<give_up>(last).error.code == error_code::no_consensus);
  CHECK(only<give_up>(last).error.details.size() == 5);
}

TEST_CASE("no consensus and no node left is no_consensus") {
  replicated_pattern job{replicated_job(3, 2)};
  job.start({});
  job.answered(answer(slot(0), "a", good));
  job.answered(answer(slot(1), "b", bad));
  job.answered(answer(slot(2), "c", worse));
  auto end = job.failed(failure_at(slot(3), "", error_code::no_nodes));
  REQUIRE(is_only<give_up>(end));
  CHECK(only<give_up>(end).error.code == error_code::no_consensus);
}

TEST_CASE("too few nodes at the start is no_nodes, with the reason of each node") {
  replicated_pattern job{replicated_job()};
  job.start({});
  const std::vector<std::string> reasons{"node a: draining", "node b: full"};
  CHECK(job.failed(failure_at(slot(0), "", error_code::no_nodes, "few", reasons)).empty());
  CHECK(job.failed(failure_at(slot(1), "", error_code::no_nodes, "few", reasons)).empty());
  auto end = job.failed(failure_at(slot(2), "", error_code::no_nodes, "few", reasons));
  REQUIRE(is_only<give_up>(end));
  CHECK(only<give_up>(end).error.code == error_code::no_nodes);
  CHECK(only<give_up>(end).error.details == reasons);
}

TEST_CASE("a replica that fails is no answer: another one is asked in its place") {
  replicated_pattern job{replicated_job()};
  job.start({});
  auto more = job.failed(failure_at(slot(1), "b", error_code::agent_lost));
  REQUIRE(is_only<launch>(more));
  CHECK(only<launch>(more).group.front().id == slot(3));
  job.answered(answer(slot(0), "a", good));
  auto end = job.answered(answer(slot(3), "d", good));
  REQUIRE(is_only<finish>(end));
  CHECK(only<finish>(end).result.verified.votes == 2);
  CHECK(only<finish>(end).verdicts.size() == 2);
}

TEST_CASE("replicas that keep failing end the job with what the last one said, within 2n+1") {
  replicated_pattern job{replicated_job()};
  job.start({});
  std::uint32_t launched = 3;
  pattern_actions last;
  for (std::uint32_t index = 0; index < launched; ++index) {
    last = job.failed(failure_at(slot(index), "n", error_code::agent_timeout));
    launched += static_cast<std::uint32_t>(all_of<launch>(last).size());
  }
  CHECK(launched == 7);
  REQUIRE(is_only<give_up>(last));
  CHECK(only<give_up>(last).error.code == error_code::agent_timeout);
}

TEST_CASE("what k replicas call hopeless is hopeless, what one calls so is not") {
  replicated_pattern job{replicated_job()};
  job.start({});
  CHECK(is_only<launch>(job.failed(failure_at(slot(0), "a", error_code::bad_input))));
  auto end = job.failed(failure_at(slot(1), "b", error_code::bad_input));
  REQUIRE(is_only<give_up>(end));
  CHECK(only<give_up>(end).error.code == error_code::bad_input);
}

TEST_CASE("a poisoned input ends the job at once") {
  replicated_pattern job{replicated_job()};
  job.start({});
  auto end = job.failed(failure_at(slot(0), "a", error_code::poison_input));
  REQUIRE(is_only<give_up>(end));
  CHECK(only<give_up>(end).error.code == error_code::poison_input);
}

TEST_CASE("a straggler that fails is not judged") {
  replicated_pattern job{replicated_job()};
  job.start({});
  job.answered(answer(slot(0), "a", good));
  job.answered(answer(slot(1), "b", good));
  CHECK(job.failed(failure_at(slot(2), "c", error_code::agent_lost)).empty());
}

TEST_CASE("large answers with equal digests agree without being loaded") {
  replicated_pattern job{replicated_job()};
  job.start({});
  auto large = all_detached(good);
  job.answered(answer(slot(0), "a", large));
  auto end = job.answered(answer(slot(1), "b", large));
  REQUIRE(is_only<finish>(end));
  CHECK(only<finish>(end).result.outputs == large);
}

TEST_CASE("large answers with other digests are loaded once each, then compared") {
  replicated_pattern job{replicated_job()};
  job.start({});
  job.answered(answer(slot(0), "a", all_detached(good)));
  auto loads = job.answered(answer(slot(1), "b", all_detached(nearly_good)));
  REQUIRE(all_of<load_outputs>(loads).size() == 2);
  CHECK(job.answered(answer(slot(2), "c", all_detached(good))).empty());
  CHECK(job.outputs_loaded(slot(1), nearly_good).empty());
  auto end = job.outputs_loaded(slot(0), good);
  REQUIRE(end.size() == 2);
  REQUIRE(std::holds_alternative<finish>(end.front()));
  CHECK(std::get<finish>(end.front()).result.verified.votes == 2);
  CHECK(std::get<judge_straggler>(end.back()).judged == verdict{"c/0/2", true});
}

TEST_CASE("an answer whose bytes can not be had agrees with its own digest only") {
  replicated_pattern job{replicated_job()};
  job.start({});
  job.answered(answer(slot(0), "a", good));
  auto loads = job.answered(answer(slot(1), "b", all_detached(nearly_good)));
  REQUIRE(is_only<load_outputs>(loads));
  CHECK(job.outputs_loaded(slot(1), runtime::fail(error_code::not_found, "gone")).empty());
  CHECK(is_only<finish>(job.answered(answer(slot(2), "c", good))));
}

TEST_CASE("one replica and a consensus of one is a single job that is verified") {
  replicated_pattern job{replicated_job(1, 1)};
  CHECK(only<launch>(job.start({})).group.size() == 1);
  auto end = job.answered(answer(slot(0), "a", good));
  REQUIRE(is_only<finish>(end));
  CHECK(only<finish>(end).result.verified.votes == 1);
}

TEST_CASE("a replicated job that runs out of time has no answer") {
  replicated_pattern job{replicated_job()};
  job.start({});
  job.answered(answer(slot(0), "a", good));
  auto end = job.time_is_up();
  REQUIRE(is_only<give_up>(end));
  CHECK(only<give_up>(end).error.code == error_code::timeout);
}
