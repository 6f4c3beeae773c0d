#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include <doctest/doctest.h>

#include "tools/fault/final_state.hpp"
#include "tools/fault/job_maker.hpp"
#include "tools/fault/load_plan.hpp"
#include "tools/fault/recorder.hpp"
#include "tools/fault/recovery.hpp"
#include "tools/fault/strike_plan.hpp"
#include "tools/fault/target_choice.hpp"

using namespace dim;
using namespace dim::tools;
using scenario::fault_action;

namespace {

scenario::fault fault_of(fault_action action, const std::string& target = "*") {
  scenario::fault result;
  result.action = action;
  result.target = target;
  return result;
}

scenario::scenario plan_of(std::vector<scenario::fault> faults) {
  scenario::scenario result;
  result.name = "plan";
  result.seed = 3;
  result.duration_ms = 60'000;
  result.faults = std::move(faults);
  return result;
}

const std::vector<live_process>& processes() {
  static const std::vector<live_process> list{
    {{"node/a"}, {"agent/digits-mlp"}}, {{"node/b"}, {}}, {{"orchestrator", "gateway/x"}, {}}};
  return list;
}

}  // namespace

TEST_CASE("a fault strikes once at its time, or again and again until its end") {
  auto once = fault_of(fault_action::kill);
  once.from_ms = 700;
  auto often = fault_of(fault_action::kill);
  often.from_ms = 10'000;
  often.until_ms = 50'000;
  often.every_ms = 200;
  const auto strikes = strikes_of(plan_of({once, often}));
  CHECK(strikes.front().at_ms == 700);
  CHECK(strikes.size() > 150);
  CHECK(strikes.size() < 250);
  for (std::size_t i = 1; i < strikes.size(); ++i) {
    CHECK(strikes[i].at_ms >= 10'000);
    CHECK(strikes[i].at_ms < 50'000);
    CHECK(strikes[i].at_ms >= strikes[i - 1].at_ms);
  }
  CHECK(strikes == strikes_of(plan_of({once, often})));
}

TEST_CASE("a fault that holds is struck for a short while, over and over, without a gap") {
  auto drop = fault_of(fault_action::drop);
  drop.from_ms = 1'000;
  drop.until_ms = 12'500;
  const auto strikes = strikes_of(plan_of({drop}));
  REQUIRE(strikes.size() == 3);
  auto at = drop.from_ms;
  for (const auto& each : strikes) {
    CHECK(each.at_ms == at);
    at += each.lasts_ms;
  }
  CHECK(at == 12'500);
}

TEST_CASE("one of those who fit is hit, another seed may hit another") {
  std::set<std::string> hit;
  for (std::uint64_t seed = 0; seed < 50; ++seed)
    hit.insert(*choose_target(fault_of(fault_action::kill, "node/*"), processes(), seed));
  CHECK(hit == std::set<std::string>{"node/a", "node/b"});
  const auto target = [](fault_action action, const char* text) {
    return choose_target(fault_of(action, text), processes(), 1);
  };
  CHECK(target(fault_action::kill, "gateway/*") == "gateway/x");
  CHECK(target(fault_action::stop, "agent/*") == "agent/*@node/a");
  CHECK(target(fault_action::kill, "actor/JOB@orch*") == "actor/JOB@orchestrator");
  CHECK_FALSE(target(fault_action::kill, "agent/digits-*@node/b").has_value());
  CHECK_FALSE(target(fault_action::kill, "node/z").has_value());
  CHECK(target(fault_action::slow, "node/*") == "node/*");
}

TEST_CASE("the processes are read from the gateway's answer") {
  const auto answer = json::parse(
    R"({"processes":[{"names":["node/a"],"pid":1,"agents":["agent/digits-mlp"]},
        {"names":["orchestrator","gateway/x"],"agents":[]},{"names":["node/b"]}]})");
  CHECK(read_processes(answer) == processes());
  CHECK(read_processes(json{}).empty());
}

TEST_CASE("the workload has its shares and its rate, and is the same for the same seed") {
  auto plan = plan_of({});
  plan.load.jobs = 2'000;
  plan.load.rate = 100.0;
  plan.load.cancelled = 0.1;
  plan.load.resubmitted = 0.2;
  const auto jobs = load_of(plan);
  REQUIRE(jobs.size() == 2'000);
  CHECK(jobs.back().at_ms > 18'000);
  CHECK(jobs.back().at_ms < 22'000);
  const auto count = [&](auto is_so) { return std::count_if(jobs.begin(), jobs.end(), is_so); };
  const auto cancelled = count([](auto& job) { return job.cancel_after_ms.has_value(); });
  const auto resubmitted = count([](auto& job) { return job.resubmit_after_ms.has_value(); });
  CHECK(cancelled > 150);
  CHECK(cancelled < 250);
  CHECK(resubmitted > 330);
  CHECK(resubmitted < 470);
  CHECK(jobs == load_of(plan));
}

TEST_CASE("jobs are made from what the catalogue says of the models") {
  const auto models = json::parse(R"({"models":[
    {"name":"m","max_batch_size":8,"inputs":[{"name":"x","datatype":"FP32","dims":[2,-1]}]},
    {"name":"n","max_batch_size":0,"inputs":[{"name":"t","datatype":"BYTES","dims":[3]}]}]})");
  scenario::workload load;
  load.patterns = {"single", "comparative", "chained"};
  load.models = {"m", "n"};
  const auto maker = job_maker::make(load, models);
  REQUIRE(maker.has_value());
  auto job = json::parse(maker->body("single", "key", 2));
  CHECK(job["model"] == "m");
  CHECK(job["inputs"][0]["shape"] == json{1, 2, 1});
  CHECK(job["inputs"][0]["data"].size() == 2);
  job = json::parse(maker->body("single", "key", 3));
  CHECK(job["model"] == "n");
  CHECK(job["inputs"][0]["data"][0].is_string());
  CHECK(json::parse(maker->body("comparative", "key", 1))["models"].size() == 2);
  CHECK(json::parse(maker->body("chained", "key", 1))["steps"][1]["model"] == "n");
  CHECK(maker->body("single", "key", 5) == maker->body("single", "key", 5));
  load.models = {"gone"};
  load.patterns = {"single"};
  CHECK(job_maker::make(load, models).error().details.size() == 1);
  load.patterns = {"collaborative"};
  CHECK(job_maker::make(load, models).error().status == exit_status::usage);
}

TEST_CASE("recoveries and rare paths are read from the event log") {
  scenario::history seen;
  const auto add = [&](const char* kind, const char* job, const char* node, std::int64_t at_ms) {
    scenario::logged_event event;
    event.kind = kind;
    event.job_id = job;
    event.node_id = node;
    event.at_ms = at_ms;
    seen.events.push_back(event);
  };
  add("node_lost", "", "a", 1'000);
  add("execution_lost", "j", "a", 1'005);
  add("execution_scheduled", "k", "b", 1'010);
  add("execution_scheduled", "j", "b", 1'105);
  add("node_joined", "", "c", 1'200);
  add("node_joined", "", "a", 3'000);
  seen.executions.resize(2);
  seen.executions[1].attempt = 2;
  const auto times = recoveries_of(seen);
  CHECK(times.at("placed again") == std::vector<std::int64_t>{100});
  CHECK(times.at("node is a member again") == std::vector<std::int64_t>{2'000});
  const auto paths = paths_of(seen);
  CHECK(paths.at("retry") == 1);
  CHECK(paths.at("node_loss") == 1);
  CHECK_FALSE(paths.contains("straggler_scored"));
}

TEST_CASE("times of the gateway are read to the millisecond") {
  CHECK(time_from("1970-01-02T00:00:01.234Z") == 86'401'234);
  CHECK(time_from("") == 0);
  CHECK(time_from("yesterday") == 0);
}

TEST_CASE("a job is open from its acknowledgement until it is seen at its end") {
  run_clock clock;
  recorder records{clock};
  records.note_submission("key", "a");
  records.note_submission("other", "b");
  records.note_sighting("a", "running");
  records.note_sighting("a", "running");
  records.note_sighting("b", "failed");
  records.note_submission("other", "b");
  CHECK(records.open_jobs() == std::vector<std::string>{"a"});
  CHECK(records.history().sightings.size() == 2);
  records.note_problem("same");
  records.note_problem("same");
  CHECK(records.problems().size() == 1);
}

TEST_CASE("every shipped plan can be read, says what it is in a line, and all actions occur") {
  std::set<fault_action> actions;
  std::size_t plans = 0;
  const std::filesystem::path folder{DIM_SOURCE_DIR "/tests/faults/plans"};
  for (const auto& entry : std::filesystem::directory_iterator{folder}) {
    CAPTURE(entry.path().string());
    std::ifstream file{entry.path()};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    const auto plan = scenario::read_scenario(text);
    REQUIRE(plan.has_value());
    ++plans;
    CHECK_FALSE(plan->description.empty());
    CHECK(plan->description.find('\n') == std::string::npos);
    CHECK_FALSE(plan->faults.empty());
    for (const auto& fault : plan->faults)
      actions.insert(fault.action);
  }
  CHECK(plans == 10);
  CHECK(actions.size() == 11);
  CHECK_FALSE(actions.contains(fault_action::clock_skew));
}
