#include <doctest/doctest.h>

#include "actors/cluster/liveness.hpp"
#include "actors/cluster/reputation.hpp"
#include "actors/job/admission.hpp"
#include "actors/job/job_phase.hpp"

using namespace dim;
using namespace dim::actors;

TEST_CASE("a job moves forward only, and a terminal state never changes") {
  CHECK(state_after_execution(job_state::pending, execution_state::scheduled)
        == job_state::scheduled);
  CHECK(state_after_execution(job_state::scheduled, execution_state::running)
        == job_state::running);
  CHECK(state_after_execution(job_state::running, execution_state::scheduled)
        == job_state::running);
  for (auto terminal : {job_state::completed, job_state::failed, job_state::cancelled}) {
    CHECK(state_after_execution(terminal, execution_state::running) == terminal);
    CHECK(state_after_engine(terminal, {}) == terminal);
    CHECK(state_after_engine(terminal, {runtime::error_code::timeout, "", {}}) == terminal);
  }
  CHECK(state_after_engine(job_state::running, {}) == job_state::completed);
  CHECK(state_after_engine(job_state::running, {runtime::error_code::no_nodes, "", {}})
        == job_state::failed);
}

TEST_CASE("silence makes a node suspect, then offline; only a join brings it back") {
  liveness_limits limits{3'000, 10'000};
  CHECK(state_after_silence(node_state::online, 2'999, limits) == node_state::online);
  CHECK(state_after_silence(node_state::busy, 3'000, limits) == node_state::suspect);
  CHECK(state_after_silence(node_state::suspect, 9'999, limits) == node_state::suspect);
  CHECK(state_after_silence(node_state::suspect, 10'000, limits) == node_state::offline);
  CHECK(state_after_silence(node_state::draining, 5'000, limits) == node_state::draining);
  CHECK(state_after_silence(node_state::offline, 0, limits) == node_state::offline);
  CHECK(state_after_heartbeat(node_state::suspect, false, 0, 2) == node_state::online);
  CHECK(state_after_heartbeat(node_state::online, false, 2, 2) == node_state::busy);
  CHECK(state_after_heartbeat(node_state::offline, false, 0, 2) == node_state::offline);
  CHECK(state_after_heartbeat(node_state::online, true, 0, 2) == node_state::draining);
}

TEST_CASE("reputation moves by points and never below its floor") {
  config::reputation_options rules;
  CHECK(reputation_after(100, rules.agreed, rules) == 105);
  CHECK(reputation_after(100, rules.disagreed, rules) == 90);
  CHECK(reputation_after(15, rules.lost, rules) == 0);
}

namespace {

model_entry entry_of(std::string name, std::string input, std::int64_t width, std::string output) {
  model_entry result;
  result.name = name;
  result.version = "3";
  result.digest = "d-" + name;
  result.spec.name = name;
  result.spec.max_batch_size = 8;
  result.spec.inputs = {{input, models::datatype::fp32, {width}, {}}};
  result.spec.outputs = {{output, models::datatype::fp32, {10}, {}}};
  return result;
}

job_spec spec_of(pattern kind, std::vector<std::string> models) {
  job_spec spec;
  spec.kind = kind;
  for (auto& model : models)
    spec.steps.push_back({model, "", "", 1.0, {}});
  spec.inputs = {models::make_tensor("x", models::datatype::fp32, {1, 4}, std::vector<char>(16))};
  return spec;
}

}  // namespace

TEST_CASE("admission writes versions and digests, and finds inputs that do not fit") {
  auto spec = spec_of(pattern::single, {"m"});
  CHECK(complete_spec(spec, {entry_of("m", "x", 4, "y")}).empty());
  CHECK(spec.steps[0].version == "3");
  CHECK(spec.steps[0].model_digest == "d-m");
  CHECK(complete_spec(spec, {entry_of("m", "x", 5, "y")}).size() == 1);
}

TEST_CASE("a chain whose steps do not feed each other is refused, naming the step") {
  auto spec = spec_of(pattern::chained, {"a", "b"});
  CHECK(complete_spec(spec, {entry_of("a", "x", 4, "y"), entry_of("b", "z", 10, "w")}).empty());
  spec.steps[1].input_map = {{"z", "nothing"}};
  auto problems = complete_spec(spec, {entry_of("a", "x", 4, "y"), entry_of("b", "z", 10, "w")});
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].starts_with("steps[1].input_map.z: expected an output of a"));
}
