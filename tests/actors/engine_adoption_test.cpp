// A run that goes on where an earlier engine of its job was.
#include <algorithm>

#include <doctest/doctest.h>

#include "models/numbers.hpp"
#include "tests/actors/engine_run_support.hpp"

using namespace dim;
using namespace dim::actors;
using namespace dim::tests;
using runtime::error_code;

namespace {

execution_record record_of(std::uint32_t slot, std::uint32_t attempt, std::string node,
                           execution_state state, error_code code = error_code::none) {
  execution_record record;
  record.id = "e" + std::to_string(slot) + "/" + std::to_string(attempt);
  record.job_id = "job";
  record.node_id = std::move(node);
  record.epoch = 3;
  record.slot = slot;
  record.attempt = attempt;
  record.state = state;
  record.device = "cpu:0";
  record.scheduled_at = begin_ms - 500;
  record.error.code = code;
  return record;
}

execution_record answered(execution_record record, models::tensor_list outputs = scores({0, 1})) {
  record.state = execution_state::completed;
  record.result_digest = models::canonical_digest(outputs);
  record.outputs = std::move(outputs);
  return record;
}

}  // namespace

TEST_CASE("a place takes up the execution that was running, at its node and under its epoch") {
  auto arguments = arguments_of(pattern::single);
  arguments.prior = {record_of(0, 1, "a", execution_state::running)};
  pattern_run run{arguments};
  auto start = run.start({}, begin_ms);
  auto requests = requests_in(start);
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].execution_id == "e0/1");
  CHECK(requests[0].epoch == 3);
  CHECK(requests[0].attempt == 1);
  CHECK(requests[0].adopted_node == "a");
  CHECK(requests[0].inputs == arguments.spec.inputs);
  CHECK(all_of<execution_changed>(start).empty());
  CHECK(run.placed(placement(requests[0], "a"), begin_ms).empty());
  CHECK(run.running({"e0/1", "cpu:0"}, begin_ms).empty());
  auto end = run.ended(good_end(requests[0], "a"), begin_ms + 9);
  CHECK(all_of<execution_changed>(end).at(0).record.scheduled_at == begin_ms - 500);
  CHECK(all_of<engine_finished>(end).size() == 1);
  CHECK(run.is_over());
}

TEST_CASE("an adopted execution that is lost is tried again elsewhere, with the next number") {
  auto arguments = arguments_of(pattern::single);
  arguments.prior = {record_of(0, 1, "a", execution_state::failed, error_code::agent_lost),
                     record_of(0, 2, "b", execution_state::scheduled)};
  pattern_run run{arguments};
  auto adopted = requests_in(run.start({}, begin_ms)).at(0);
  CHECK(adopted.execution_id == "e0/2");
  auto lost = run.ended(bad_end(adopted, "b", error_code::node_lost), begin_ms);
  auto again = requests_in(run.retry(all_of<retry_later>(lost).at(0).due, begin_ms)).at(0);
  CHECK(again.adopted_node.empty());
  CHECK(again.epoch == 4);
  CHECK(again.attempt == 3);
  CHECK(again.avoid == std::vector<std::string>{"a", "b"});
  auto end = run.ended(bad_end(again, "c", error_code::agent_lost), begin_ms);
  CHECK(all_of<engine_failed>(end).size() == 1);
}

TEST_CASE("failures before a restart count: a place that had failed too often does not run again") {
  auto arguments = arguments_of(pattern::single);
  arguments.spec.retry.attempts_max = 2;
  arguments.prior = {record_of(0, 1, "a", execution_state::failed, error_code::agent_lost),
                     record_of(0, 2, "b", execution_state::lost, error_code::node_lost)};
  pattern_run run{arguments};
  auto start = run.start({}, begin_ms);
  CHECK(requests_in(start).empty());
  CHECK(all_of<engine_failed>(start).at(0).error.code == error_code::node_lost);
  CHECK(run.is_over());
}

TEST_CASE("an input that has killed agents on two nodes is poison, a restart between them or not") {
  auto arguments = arguments_of(pattern::single);
  arguments.prior = {record_of(0, 1, "a", execution_state::failed, error_code::agent_lost),
                     record_of(0, 2, "b", execution_state::running)};
  arguments.prior[0].killed_agent = true;
  pattern_run run{arguments};
  auto adopted = requests_in(run.start({}, begin_ms)).at(0);
  auto killed = bad_end(adopted, "b", error_code::agent_lost);
  killed.killed_agent = true;
  auto end = run.ended(killed, begin_ms);
  CHECK(all_of<engine_failed>(end).at(0).error.code == error_code::poison_input);
}

TEST_CASE("a failure that was about to be tried again is, after its pause") {
  auto arguments = arguments_of(pattern::single);
  arguments.prior = {record_of(0, 1, "a", execution_state::failed, error_code::agent_lost)};
  pattern_run run{arguments};
  auto start = run.start({}, begin_ms);
  CHECK(requests_in(start).empty());
  auto later = all_of<retry_later>(start);
  REQUIRE(later.size() == 1);
  auto again = requests_in(run.retry(later[0].due, begin_ms + 200)).at(0);
  CHECK(again.attempt == 2);
  CHECK(again.avoid == std::vector<std::string>{"a"});
}

TEST_CASE("what was withdrawn, found no node, or kept no outputs is made anew, numbered on") {
  auto arguments = arguments_of(pattern::single);
  arguments.prior = {record_of(0, 1, "a", execution_state::cancelled),
                     record_of(0, 2, "", execution_state::failed, error_code::no_nodes),
                     record_of(0, 3, "b", execution_state::completed)};
  pattern_run run{arguments};
  auto fresh = requests_in(run.start({}, begin_ms)).at(0);
  CHECK(fresh.attempt == 4);
  CHECK(fresh.adopted_node.empty());
  CHECK(fresh.avoid.empty());
}

TEST_CASE("stored answers of a replicated job count at once, and their nodes are not used again") {
  auto arguments = arguments_of(pattern::replicated);
  arguments.prior = {answered(record_of(0, 1, "a", execution_state::completed)),
                     record_of(1, 1, "b", execution_state::running),
                     record_of(2, 1, "c", execution_state::failed, error_code::agent_lost)};
  pattern_run run{arguments};
  auto start = run.start({}, begin_ms);
  auto requests = requests_in(start);
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].execution_id == "e1/1");
  auto again = requests_in(run.retry(all_of<retry_later>(start).at(0).due, begin_ms)).at(0);
  CHECK(again.slot == 2);
  CHECK(again.exclude == std::vector<std::string>{"a", "b"});
  CHECK(again.avoid == std::vector<std::string>{"c"});
  run.placed(placement(again, "d"), begin_ms);
  auto end = run.ended(good_end(requests[0], "b"), begin_ms);
  auto finished = all_of<engine_finished>(end).at(0);
  CHECK(finished.result.verified.votes == 2);
  REQUIRE(finished.scores.size() == 2);
  CHECK(finished.scores[0].execution_id == "e0/1");
  CHECK(finished.scores[1].execution_id == "e1/1");
}

TEST_CASE("replicas keep off the nodes of those that were running, before these are asked for") {
  auto arguments = arguments_of(pattern::replicated);
  // The third replica had failed, and a fourth one had taken its place.
  arguments.spec.retry.attempts_max = 1;
  arguments.prior = {record_of(2, 1, "c", execution_state::failed, error_code::agent_lost),
                     record_of(3, 1, "d", execution_state::running)};
  pattern_run run{arguments};
  auto requests = requests_in(run.start({}, begin_ms));
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].adopted_node == "d");
  for (auto index : {1, 2})
    CHECK(requests[index].exclude == std::vector<std::string>{"d"});
}

TEST_CASE("two answers that were stored before the restart finish the job without a single order") {
  auto arguments = arguments_of(pattern::replicated);
  arguments.prior = {answered(record_of(0, 1, "a", execution_state::completed)),
                     answered(record_of(1, 1, "b", execution_state::completed)),
                     record_of(2, 1, "c", execution_state::running)};
  pattern_run run{arguments};
  auto start = run.start({}, begin_ms);
  CHECK(all_of<engine_finished>(start).size() == 1);
  CHECK(all_of<engine_failed>(start).empty());
}

TEST_CASE("models of a comparative job that have voted do not vote again") {
  auto arguments = arguments_of(pattern::comparative);
  auto first = answered(record_of(0, 1, "a", execution_state::completed));
  auto second = record_of(1, 1, "a", execution_state::running);
  second.step = 1;
  arguments.prior = {first, second};
  pattern_run run{arguments};
  auto requests = requests_in(run.start({model_of(2, 2), model_of(2, 2)}, begin_ms));
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].execution_id == "e1/1");
  auto end = run.ended(good_end(requests[0], "a"), begin_ms);
  CHECK(all_of<engine_finished>(end).at(0).result.participants.size() == 2);
}

TEST_CASE("a model that was tried on a node before the others went there is numbered on there") {
  auto arguments = arguments_of(pattern::comparative);
  arguments.prior = {answered(record_of(0, 1, "a", execution_state::completed)),
                     record_of(1, 1, "b", execution_state::failed, error_code::agent_lost),
                     record_of(1, 2, "a", execution_state::running)};
  arguments.prior[1].step = arguments.prior[2].step = 1;
  pattern_run run{arguments};
  auto adopted = requests_in(run.start({model_of(2, 2), model_of(2, 2)}, begin_ms)).at(0);
  CHECK(adopted.execution_id == "e1/2");
  auto first = requests_in(run.ended(bad_end(adopted, "a", error_code::node_lost), begin_ms)).at(0);
  CHECK(first.step == 0);
  CHECK(first.attempt == 2);
  // Its earlier failure on "b" counts now, and is followed by the one attempt that is new.
  auto later = all_of<retry_later>(run.ended(good_end(first, "b"), begin_ms));
  REQUIRE(later.size() == 1);
  auto again = requests_in(run.retry(later[0].due, begin_ms + 200)).at(0);
  CHECK(again.step == 1);
  CHECK(again.attempt == 3);
}

TEST_CASE("participants that have answered are not asked for their rows again") {
  auto arguments = arguments_of(pattern::collaborative);
  arguments.spec.cabinet = "patients";
  auto first = answered(record_of(0, 1, "a", execution_state::completed),
                        {models::tensor_of_doubles("y", {1}, {2.0})});
  first.rows = 10;
  arguments.prior = {first, record_of(1, 1, "b", execution_state::running)};
  pattern_run run{arguments};
  CHECK(requests_in(run.start({}, begin_ms)).empty());
  auto requests = requests_in(run.cabinet_found({{"a", "b"}, {}}, begin_ms));
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].adopted_node == "b");
  auto answer = good_end(requests[0], "b", {models::tensor_of_doubles("y", {1}, {4.0})});
  answer.rows = 10;
  auto end = run.ended(answer, begin_ms);
  CHECK(all_of<engine_finished>(end).at(0).result.rows == 20);
}

TEST_CASE("holders that are not back yet are waited for after a restart, but not for ever") {
  auto arguments = arguments_of(pattern::collaborative);
  arguments.spec.cabinet = "patients";
  arguments.adopt_wait_ms = 2'000;
  arguments.prior = {record_of(0, 1, "a", execution_state::running),
                     record_of(1, 1, "b", execution_state::running)};
  pattern_run run{arguments};
  run.start({}, begin_ms);
  auto wait = run.cabinet_found({{}, {}}, begin_ms);
  CHECK(requests_in(wait).empty());
  auto due = all_of<retry_later>(wait).at(0).due;
  CHECK(all_of<find_cabinet>(run.retry(due, begin_ms + 500)).size() == 1);
  CHECK(run.retry(due, begin_ms + 500).empty());
  CHECK(requests_in(run.cabinet_found({{"b"}, {}}, begin_ms + 500)).empty());
  run.retry(due, begin_ms + 2'100);
  auto requests = requests_in(run.cabinet_found({{"b"}, {}}, begin_ms + 2'100));
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].adopted_node == "b");
  pattern_run fresh{arguments_of(pattern::collaborative)};
  fresh.start({}, begin_ms);
  CHECK(all_of<engine_failed>(fresh.cabinet_found({{}, {}}, begin_ms)).size() == 1);
}

TEST_CASE("a participant is known by its node, wherever it stands among those that are there now") {
  auto arguments = arguments_of(pattern::collaborative);
  arguments.spec.cabinet = "patients";
  auto first = answered(record_of(0, 1, "b", execution_state::completed),
                        {models::tensor_of_doubles("y", {1}, {2.0})});
  first.rows = 10;
  arguments.prior = {first, record_of(1, 1, "c", execution_state::running)};
  pattern_run run{arguments};
  run.start({}, begin_ms);
  auto requests = requests_in(run.cabinet_found({{"a", "b", "c"}, {}}, begin_ms));
  REQUIRE(requests.size() == 2);
  auto& new_one = requests[0].adopted_node.empty() ? requests[0] : requests[1];
  auto& old_one = requests[0].adopted_node.empty() ? requests[1] : requests[0];
  CHECK(new_one.include == std::vector<std::string>{"a"});
  CHECK(old_one.adopted_node == "c");
  CHECK(old_one.slot == 2);
  auto a = good_end(new_one, "a", {models::tensor_of_doubles("y", {1}, {4.0})});
  a.rows = 1;
  auto c = good_end(old_one, "c", {models::tensor_of_doubles("y", {1}, {4.0})});
  c.rows = 5;
  run.ended(a, begin_ms);
  auto result = all_of<engine_finished>(run.ended(c, begin_ms)).at(0).result;
  CHECK(result.rows == 16);
  REQUIRE(result.participants.size() == 3);
  CHECK(result.participants[1].node_id == "b");
  CHECK(result.participants[1].rows == 10);
}

TEST_CASE("what no place has asked for until the end is withdrawn and lost") {
  auto arguments = arguments_of(pattern::single);
  arguments.prior = {record_of(7, 1, "z", execution_state::running)};
  pattern_run run{arguments};
  auto request = requests_in(run.start({}, begin_ms)).at(0);
  auto end = run.ended(good_end(request, "a"), begin_ms);
  auto withdrawn = all_of<withdraw_execution>(end);
  REQUIRE(withdrawn.size() == 1);
  CHECK(withdrawn[0].execution_id == "e7/1");
  CHECK(states_in(end)
        == std::vector{execution_state::completed, execution_state::lost});
  pattern_run stopped{arguments};
  CHECK(states_in(stopped.stop(begin_ms)) == std::vector{execution_state::lost});
}

TEST_CASE("of an execution and its hedge both are taken up, and the first answer wins") {
  auto arguments = arguments_of(pattern::single);
  arguments.spec.hedge_after_ms = 1'000;
  arguments.prior = {record_of(0, 1, "a", execution_state::running),
                     record_of(0, 2, "b", execution_state::scheduled)};
  pattern_run run{arguments};
  auto requests = requests_in(run.start({}, begin_ms));
  REQUIRE(requests.size() == 2);
  auto end = run.ended(good_end(requests[1], "b"), begin_ms);
  CHECK(all_of<withdraw_execution>(end).at(0).execution_id == "e0/1");
  CHECK(all_of<engine_finished>(end).size() == 1);
}
