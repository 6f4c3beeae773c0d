#include "tools/scenario/scenario.hpp"

#include <random>

#include <doctest/doctest.h>

#include "tools/scenario/durations.hpp"

using namespace dim::scenario;

namespace {

constexpr const char* full_plan = R"(
name = "everything"
description = "One of each."
seed = 42
nodes = 7
duration = "90s"
settle = 1500

[workload]
jobs = 12
rate = 2.5
patterns = ["single", "chained"]
cancelled = 0.25
resubmitted = 0
timeout = "2m"
models = ["digits-mlp"]

[[fault]]
action = "partition"
target = "node/a*"
peer = "orchestrator"
one_way = true
from = "5s"
until = "60s"
every = "10s"
lasts = "1500ms"

[[fault]]
action = "delay"
messages = ["execution_finished"]
probability = 0.5
delay = ["10ms", "200ms"]

[[fault]]
action = "slow"
target = "agent/*"
factor = 4
)";

/// The problems of a plan whose text is wrong.
std::vector<std::string> problems_of(const std::string& text) {
  auto read = read_scenario(text);
  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().code == dim::runtime::error_code::bad_input);
  return read.error().details;
}

void check_problem(const std::string& lines, const std::string& expected) {
  const auto found = problems_of("name = \"x\"\n" + lines);
  INFO(lines);
  REQUIRE(found.size() == 1);
  CHECK(found.front() == expected);
}

fault random_fault(std::mt19937_64& random) {
  using enum fault_action;
  fault result;
  result.action = static_cast<fault_action>(random() % 12);
  result.target = random() % 2 == 0 ? "*" : "node/n\"1\\";
  result.from_ms = static_cast<std::int64_t>(random() % 100'000);
  result.until_ms = random() % 2 == 0 ? 0 : result.from_ms + 7;
  switch (result.action) {
    case delay:
      result.delay_ms_min = static_cast<std::int64_t>(random() % 50);
      result.delay_ms_max = result.delay_ms_min + static_cast<std::int64_t>(random() % 50);
      result.messages = {"infer", "chunk"};
      result.probability = 0.125;
      break;
    case slow:
      result.factor = 1.0 + static_cast<double>(random() % 8) / 4.0;
      break;
    case clock_skew:
      result.skew_ms = static_cast<std::int64_t>(random() % 20'000) - 10'000;
      break;
    case partition:
      result.peer = "node/b";
      result.one_way = random() % 2 == 0;
      [[fallthrough]];
    case kill:
    case stop:
    case fill_disk:
      result.lasts_ms = static_cast<std::int64_t>(random() % 5'000) + 1;
      result.every_ms = static_cast<std::int64_t>(random() % 3) * 1'000;
      break;
    default:
      result.probability = static_cast<double>(random() % 17) / 16.0;
  }
  return result;
}

}  // namespace

TEST_CASE("every member of a plan is read") {
  const auto read = read_scenario(full_plan);
  REQUIRE(read.has_value());
  CHECK(read->name == "everything");
  CHECK(read->seed == 42);
  CHECK(read->nodes == 7);
  CHECK(read->duration_ms == 90'000);
  CHECK(read->settle_ms == 1'500);
  CHECK(read->load == workload{12, 2.5, {"single", "chained"}, 0.25, 0.0, 120'000, {"digits-mlp"}});
  REQUIRE(read->faults.size() == 3);
  fault cut;
  cut.action = fault_action::partition;
  cut.target = "node/a*";
  cut.peer = "orchestrator";
  cut.one_way = true;
  cut.from_ms = 5'000;
  cut.until_ms = 60'000;
  cut.every_ms = 10'000;
  cut.lasts_ms = 1'500;
  CHECK(read->faults[0] == cut);
  CHECK(read->faults[1].messages == std::vector<std::string>{"execution_finished"});
  CHECK(read->faults[1].delay_ms_min == 10);
  CHECK(read->faults[1].delay_ms_max == 200);
  CHECK(read->faults[1].probability == 0.5);
  CHECK(read->faults[2].factor == 4.0);
}

TEST_CASE("a plan that says nothing but its name has the defaults") {
  const auto read = read_scenario("name = \"x\"");
  REQUIRE(read.has_value());
  scenario expected;
  expected.name = "x";
  CHECK(*read == expected);
}

TEST_CASE("all problems of a plan come at once, in the order of their lines") {
  const auto found = problems_of(
    "name = \"x\"\nsede = 1\nnodes = 0\n[workload]\nrate = \"fast\"\n"
    "[[fault]]\naction = \"kil\"\n");
  REQUIRE(found.size() == 4);
  CHECK(found[0] == "line 2: unknown member sede; did you mean seed?");
  CHECK(found[1] == "line 3: nodes: expected a whole number from 1 to 1000, got 0");
  CHECK(found[2]
        == "line 5: workload.rate: expected a number from 0.001 to 100000, got the text \"fast\"");
  CHECK(found[3].starts_with("line 7: fault 1: action: expected one of kill, stop, drop"));
}

TEST_CASE("text that is no TOML is a problem with its line") {
  const auto found = problems_of("name = \"x\"\nseed = = 3\n");
  REQUIRE(found.size() == 1);
  CHECK(found.front().starts_with("line 2: "));
}

TEST_CASE("members that mean nothing for an action, or are missing, are problems") {
  check_problem("[[fault]]\naction = \"kill\"\nfactor = 2.0",
                "line 4: fault 1: factor: means nothing for kill");
  check_problem("[[fault]]\naction = \"drop\"\nlasts = \"2s\"",
                "line 4: fault 1: lasts: means nothing for drop");
  check_problem("[[fault]]\naction = \"delay\"", "line 2: fault 1: delay: delay needs it");
  check_problem("[[fault]]\naction = \"stop\"", "line 2: fault 1: lasts: stop needs it");
  check_problem("[[fault]]\naction = \"drop\"\ntarget = \"\"",
                "line 4: fault 1: target: is empty; \"*\" stands for all");
}

TEST_CASE("values of a wrong kind or out of bounds are problems") {
  check_problem("duration = \"2 s\"",
                "line 2: duration: expected a duration such as \"2s\" or \"500ms\", got the text "
                "\"2 s\"");
  check_problem("settle = -1",
                "line 2: settle: expected a duration such as \"2s\" or \"500ms\", got -1");
  check_problem("[[fault]]\naction = \"drop\"\nprobability = 1.5",
                "line 4: fault 1: probability: expected a number from 0 to 1, got 1.5");
  check_problem("[[fault]]\naction = \"delay\"\ndelay = [\"2s\", \"1s\"]",
                "line 4: fault 1: delay: the shortest duration is longer than the longest");
  check_problem("[[fault]]\naction = \"drop\"\nfrom = \"2s\"\nuntil = \"1s\"",
                "line 5: fault 1: until: comes before from");
  check_problem("[workload]\npatterns = [\"solo\"]",
                "line 3: workload.patterns: there is no pattern \"solo\"");
  check_problem("workload = 3", "line 2: workload: expected a table, [workload]");
  check_problem("fault = 3", "line 2: fault: expected tables, [[fault]]");
}

TEST_CASE("a plan that was written is read as the same") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random{seed};
  scenario plan;
  plan.name = "a \"name\"";
  plan.description = "two\nlines";
  plan.load.models = {"m"};
  for (int i = 0; i < 60; ++i)
    plan.faults.push_back(random_fault(random));
  const auto text = write_scenario(plan);
  INFO(text);
  const auto read = read_scenario(text);
  if (!read)
    for (const auto& each : read.error().details)
      MESSAGE(each);
  REQUIRE(read.has_value());
  CHECK(*read == plan);
}

TEST_CASE("durations are read with their unit and written in the shortest form") {
  CHECK(duration_from("500ms") == 500);
  CHECK(duration_from("1.5s") == 1'500);
  CHECK(duration_from("2m") == 120'000);
  CHECK(duration_from("1h") == 3'600'000);
  for (const char* wrong :
       {"", "s", "2", "2 s", "-2s", "1.0001s", "1..5s", ".5s", "9000000h", "2S"})
    CHECK_FALSE(duration_from(wrong).has_value());
  for (const char* text : {"500ms", "1500ms", "90s", "2m", "1h"})
    CHECK(duration_text(*duration_from(text)) == text);
  CHECK(duration_text(0) == "0ms");
}

TEST_CASE("an action has the name by which it is found") {
  for (int value = 0; value <= static_cast<int>(last_value(fault_action{})); ++value) {
    const auto action = static_cast<fault_action>(value);
    CHECK(fault_action_from(to_string(action)) == action);
  }
  CHECK_FALSE(fault_action_from("Kill").has_value());
}

TEST_CASE("a star in a pattern stands for any text") {
  CHECK(fits("*", ""));
  CHECK(fits("*", "node/a"));
  CHECK(fits("node/*", "node/a"));
  CHECK(fits("*/a*c", "node/abcbc"));
  CHECK(fits("node/a", "node/a"));
  CHECK(fits("a**b", "ab"));
  CHECK_FALSE(fits("node/*", "agent/a"));
  CHECK_FALSE(fits("node/a", "node/ab"));
  CHECK_FALSE(fits("*/a*c", "node/abcb"));
  CHECK_FALSE(fits("", "a"));
}
