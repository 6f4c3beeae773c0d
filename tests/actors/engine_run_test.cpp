#include <doctest/doctest.h>

#include "models/numbers.hpp"
#include "tests/actors/engine_run_support.hpp"

using namespace dim;
using namespace dim::actors;
using namespace dim::tests;
using runtime::error_code;

TEST_CASE("a run tells every change of an execution, then its result, then that it is done") {
  pattern_run run{arguments_of(pattern::single)};
  auto request = requests_in(run.start({}, begin_ms)).at(0);
  CHECK(request.job_id == "job");
  CHECK(request.epoch == 4);
  CHECK(request.attempt == 1);
  CHECK_FALSE(request.deterministic);
  auto placed = all_of<execution_changed>(run.placed(placement(request, "a"), begin_ms + 5));
  REQUIRE(placed.size() == 1);
  CHECK(placed[0].record.state == execution_state::scheduled);
  CHECK(placed[0].record.node_id == "a");
  CHECK(placed[0].record.scheduled_at == begin_ms);
  auto running =
    all_of<execution_changed>(run.running({request.execution_id, "cpu:0"}, begin_ms + 6));
  REQUIRE(running.size() == 1);
  CHECK(running[0].record.state == execution_state::running);
  CHECK(running[0].record.started_at == begin_ms + 6);
  auto end = run.ended(good_end(request, "a"), begin_ms + 9);
  REQUIRE(end.size() == 3);
  auto& record = std::get<execution_changed>(end[0]).record;
  CHECK(record.state == execution_state::completed);
  CHECK(record.completed_at == begin_ms + 9);
  CHECK(record.result_digest == models::canonical_digest(scores({0, 1})));
  CHECK(std::get<engine_finished>(end[1]).result.outputs == scores({0, 1}));
  CHECK(std::holds_alternative<engine_done>(end[2]));
  CHECK(run.is_over());
}

TEST_CASE("executions carry what the submission asks for and what is left of its time") {
  auto arguments = arguments_of(pattern::replicated);
  auto& spec = arguments.spec;
  spec.nodes.include = {"a", "b", "c"};
  spec.nodes.exclude = {"d"};
  spec.required_cpu = 3;
  spec.required_memory = 2;
  spec.required_gpu = true;
  spec.priority = 9;
  spec.submitted_by = "me";
  pattern_run run{arguments};
  auto wishes = all_of<place_executions>(run.start({}, begin_ms + 100'000));
  REQUIRE(wishes.size() == 1);
  CHECK(wishes[0].time_left_ms == 200'000);
  REQUIRE(wishes[0].group.size() == 3);
  auto& request = wishes[0].group[2];
  CHECK(request.slot == 2);
  CHECK(request.deterministic);
  CHECK(request.include == spec.nodes.include);
  CHECK(request.exclude == spec.nodes.exclude);
  CHECK(request.required_cpu == 3);
  CHECK(request.required_memory == 2);
  CHECK(request.required_gpu);
  CHECK(request.priority == 9);
  CHECK(request.submitted_by == "me");
  CHECK(request.model == spec.steps[0]);
}

TEST_CASE("a failed execution is tried again after its pause, elsewhere, with a new id") {
  pattern_run run{arguments_of(pattern::single)};
  auto first = requests_in(run.start({}, begin_ms)).at(0);
  run.placed(placement(first, "a"), begin_ms);
  auto failed = run.ended(bad_end(first, "a", error_code::node_lost), begin_ms + 10);
  CHECK(states_in(failed) == std::vector{execution_state::lost});
  auto later = all_of<retry_later>(failed);
  REQUIRE(later.size() == 1);
  CHECK(later[0].due.attempt == 2);
  CHECK(later[0].delay_ms >= 100);
  CHECK(requests_in(failed).empty());
  auto second = requests_in(run.retry(later[0].due, begin_ms + 200)).at(0);
  CHECK(second.execution_id != first.execution_id);
  CHECK(second.attempt == 2);
  CHECK(second.avoid == std::vector<std::string>{"a"});
  CHECK(run.retry(later[0].due, begin_ms + 200).empty());
}

TEST_CASE("a retry that is not due any more is dropped") {
  pattern_run run{arguments_of(pattern::single)};
  auto first = requests_in(run.start({}, begin_ms)).at(0);
  auto later =
    all_of<retry_later>(run.ended(bad_end(first, "a", error_code::agent_lost), begin_ms));
  CHECK(run.retry({0, 1, 0}, begin_ms).empty());
  CHECK(run.retry({5, 2, 0}, begin_ms).empty());
  CHECK(run.retry({0, 2, 7}, begin_ms).empty());
  run.stop(begin_ms);
  CHECK(run.retry(later.at(0).due, begin_ms).empty());
}

TEST_CASE("outcomes of unknown, repeated and older executions are dropped") {
  pattern_run run{arguments_of(pattern::single)};
  auto first = requests_in(run.start({}, begin_ms)).at(0);
  execution_request stranger;
  stranger.execution_id = "stranger";
  CHECK(run.ended(good_end(stranger, "a"), begin_ms).empty());
  CHECK(run.placed(placement(stranger, "a"), begin_ms).empty());
  CHECK(run.running({"stranger", "cpu:0"}, begin_ms).empty());
  auto later =
    all_of<retry_later>(run.ended(bad_end(first, "a", error_code::agent_lost), begin_ms));
  auto second = requests_in(run.retry(later.at(0).due, begin_ms)).at(0);
  CHECK(run.ended(good_end(first, "a"), begin_ms).empty());
  CHECK(all_of<engine_finished>(run.ended(good_end(second, "b"), begin_ms)).size() == 1);
  CHECK(run.ended(good_end(second, "b"), begin_ms).empty());
}

TEST_CASE("an execution that ends before it was told to be placed or running counts all the same") {
  pattern_run run{arguments_of(pattern::single)};
  auto request = requests_in(run.start({}, begin_ms)).at(0);
  auto end = run.ended(good_end(request, "a"), begin_ms);
  CHECK(all_of<execution_changed>(end).at(0).record.node_id == "a");
  CHECK(all_of<engine_finished>(end).size() == 1);
  CHECK(run.placed(placement(request, "a"), begin_ms).empty());
  CHECK(run.running({request.execution_id, "cpu:0"}, begin_ms).empty());
}

TEST_CASE("stopping withdraws everything and tells only that it is done") {
  pattern_run run{arguments_of(pattern::replicated)};
  auto group = requests_in(run.start({}, begin_ms));
  run.placed(placement(group[0], "a"), begin_ms);
  auto end = run.stop(begin_ms);
  CHECK(all_of<withdraw_execution>(end).size() == 3);
  CHECK(states_in(end) == std::vector{execution_state::cancelled});
  CHECK(all_of<engine_failed>(end).empty());
  CHECK(std::holds_alternative<engine_done>(end.back()));
  CHECK(run.stop(begin_ms).empty());
  CHECK(run.ended(good_end(group[0], "a"), begin_ms).empty());
}

TEST_CASE("a run that is stopped before it starts never starts") {
  pattern_run run{arguments_of(pattern::comparative)};
  CHECK(run.needs_model_specs());
  CHECK(is_only<engine_done>(run.stop(begin_ms)));
  CHECK(run.start({}, begin_ms).empty());
}

TEST_CASE("a job whose time is over fails with timeout and asks for nothing") {
  pattern_run late{arguments_of(pattern::single)};
  auto end = late.start({}, begin_ms + 300'000);
  CHECK(requests_in(end).empty());
  CHECK(all_of<engine_failed>(end).at(0).error.code == error_code::timeout);
  pattern_run waiting{arguments_of(pattern::chained)};
  CHECK(all_of<engine_failed>(waiting.look_at_clock(begin_ms + 300'000)).at(0).error.code
        == error_code::timeout);
  CHECK(waiting.start({}, begin_ms + 300'000).empty());
  pattern_run running{arguments_of(pattern::single)};
  auto request = requests_in(running.start({}, begin_ms)).at(0);
  running.placed(placement(request, "a"), begin_ms);
  end = running.look_at_clock(running.next_look_ms());
  CHECK(all_of<engine_failed>(end).at(0).error.code == error_code::timeout);
  CHECK(all_of<withdraw_execution>(end).size() == 1);
}

TEST_CASE("outputs that are loaded when a job has made do without them are dropped") {
  auto arguments = arguments_of(pattern::collaborative);
  arguments.spec.cabinet = "patients";
  pattern_run run{arguments};
  run.start({}, begin_ms);
  auto requests = requests_in(run.cabinet_found({{"a", "b"}, {}}, begin_ms));
  REQUIRE(requests.size() == 2);
  const models::tensor_list outputs{models::tensor_of_doubles("y", {1}, {2.0})};
  auto load = run.ended(good_end(requests[0], "a", all_detached(outputs)), begin_ms);
  const auto place = all_of<load_outputs>(load).at(0).place;
  auto answer = good_end(requests[1], "b", outputs);
  answer.rows = 3;
  run.ended(answer, begin_ms);
  auto end = run.look_at_clock(run.next_look_ms());
  CHECK(all_of<engine_finished>(end).at(0).result.missing == std::vector<std::string>{"a"});
  CHECK(all_of<engine_done>(end).size() == 1);
  CHECK(run.is_over());
  CHECK(run.outputs_loaded(place, outputs, begin_ms + 300'000).empty());
}

TEST_CASE("a job makes do with what has come a little before its deadline") {
  auto arguments = arguments_of(pattern::single);
  CHECK(pattern_run{arguments}.next_look_ms() == arguments.deadline_ms - 20);
  arguments.spec.timeout_ms = 100;
  CHECK(pattern_run{arguments}.next_look_ms() == arguments.deadline_ms - 5);
}

TEST_CASE("a step's outputs are stored before the next step is placed") {
  pattern_run run{arguments_of(pattern::chained)};
  auto first = requests_in(run.start({model_of(2, 2), model_of(2, 2)}, begin_ms)).at(0);
  auto stored = run.ended(good_end(first, "a"), begin_ms);
  CHECK(requests_in(stored).empty());
  CHECK(all_of<save_step>(stored).at(0).outputs == scores({0, 1}));
  auto second = requests_in(run.step_saved(0, begin_ms)).at(0);
  CHECK(second.step == 1);
  CHECK(second.inputs == models::tensor_list{floats("x", {0, 1})});
  auto end = run.ended(bad_end(second, "a", error_code::bad_model), begin_ms);
  CHECK(all_of<engine_failed>(end).at(0).rolled_back);
}

TEST_CASE("a chain that can not store a step fails, and rolls back what it has stored before") {
  auto arguments = arguments_of(pattern::chained);
  pattern_run fresh{arguments};
  auto first = requests_in(fresh.start({model_of(2, 2), model_of(2, 2)}, begin_ms)).at(0);
  fresh.ended(good_end(first, "a"), begin_ms);
  auto end = fresh.fail({error_code::store_full, "full", {}}, begin_ms);
  CHECK(all_of<engine_failed>(end).at(0).error.code == error_code::store_full);
  CHECK_FALSE(all_of<engine_failed>(end).at(0).rolled_back);
  CHECK(std::holds_alternative<engine_done>(end.back()));
  arguments.step_outputs = {scores({0, 1})};
  pattern_run resumed{arguments};
  auto next = requests_in(resumed.start({model_of(2, 2), model_of(2, 2)}, begin_ms)).at(0);
  CHECK(next.step == 1);
  CHECK(all_of<engine_failed>(resumed.fail({error_code::internal, "", {}}, begin_ms))
          .at(0)
          .rolled_back);
}

TEST_CASE("holders of a cabinet are looked for, and each is asked alone") {
  auto arguments = arguments_of(pattern::collaborative);
  arguments.spec.cabinet = "patients";
  arguments.spec.nodes.exclude = {"z"};
  pattern_run run{arguments};
  auto question = all_of<find_cabinet>(run.start({}, begin_ms));
  REQUIRE(question.size() == 1);
  CHECK(question[0].cabinet == "patients");
  CHECK(question[0].nodes == arguments.spec.nodes);
  auto wishes = all_of<place_executions>(run.cabinet_found({{"a", "b"}, {}}, begin_ms));
  REQUIRE(wishes.size() == 2);
  CHECK(wishes[0].group.at(0).include == std::vector<std::string>{"a"});
  CHECK(wishes[0].group.at(0).cabinet == "patients");
  auto again = run.ended(bad_end(wishes[0].group[0], "a", error_code::agent_lost), begin_ms);
  auto retried = requests_in(run.retry(all_of<retry_later>(again).at(0).due, begin_ms)).at(0);
  CHECK(retried.include == std::vector<std::string>{"a"});
  CHECK(retried.exclude == std::vector<std::string>{"z"});
}

TEST_CASE("two runs with one seed make the same ids, and other seeds make others") {
  auto arguments = arguments_of(pattern::replicated);
  const auto ids = [&] {
    std::vector<std::string> result;
    pattern_run run{arguments};
    for (auto& request : requests_in(run.start({}, begin_ms)))
      result.push_back(request.execution_id);
    return result;
  };
  auto first = ids();
  CHECK(first == ids());
  arguments.seed = 12;
  CHECK(first != ids());
}
