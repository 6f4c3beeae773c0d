#include "gateway/job_json_reader.hpp"

#include <algorithm>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/gateway/job_samples.hpp"

namespace {

using namespace dim;
using namespace dim::tests;
using nlohmann::json;
using runtime::error_code;

/// Whether a job with `member` set to `value` is refused with exactly one problem, at `path`.
bool refuses(json job, const std::string& member, const json& value, const std::string& path) {
  job[member] = value;
  auto problems = problems_of(job);
  if (problems.size() == 1 && problems[0].find(path + ": ") == 0)
    return true;
  for (auto& each : problems)
    MESSAGE(each);
  return false;
}

TEST_CASE("a job of every pattern is read, with the defaults filled in") {
  auto single = read_good(single_job());
  CHECK(single.name == "one");
  CHECK(single.kind == actors::pattern::single);
  REQUIRE(single.steps.size() == 1);
  CHECK(single.steps[0].model == "digits");
  CHECK(single.steps[0].version == "");
  REQUIRE(single.inputs.size() == 1);
  CHECK(single.inputs[0].data.size() == 8);
  CHECK(single.inputs[0].digest.size() == 64);
  CHECK(single.priority == 5);
  CHECK(single.timeout_ms == 300'000);
  CHECK(single.required_cpu == 1);
  CHECK(single.required_memory == 1);
  CHECK(!single.required_gpu);

  auto replicated = read_good(job_of("replicated"));
  CHECK(replicated.redundancy == 3);
  CHECK(replicated.consensus == 2);
  CHECK(replicated.steps[0].version == "3");

  auto comparative = read_good(job_of("comparative"));
  REQUIRE(comparative.steps.size() == 3);
  CHECK(comparative.steps[1].model == "digits-cnn");
  CHECK(comparative.steps[1].version == "2");
  CHECK(comparative.vote == actors::vote_method::majority);

  auto chained = read_good(job_of("chained"));
  REQUIRE(chained.steps.size() == 2);
  CHECK(chained.steps[1].input_map.at("x") == "y");

  auto collaborative = read_good(job_of("collaborative"));
  CHECK(collaborative.cabinet == "patients");
  CHECK(collaborative.aggregate == actors::aggregation::weighted_mean);
  CHECK(collaborative.reduce == actors::reduction::mean);
}

TEST_CASE("an array stands in place of the inputs, and gives each job its own") {
  auto job = single_job();
  job.erase("inputs");
  job["array"] = json::array();
  for (int number = 0; number < 3; ++number) {
    auto tensor = sample_tensor();
    tensor["data"][0] = number;
    job["array"].push_back({{"inputs", json::array({tensor})}});
  }
  gateway::job_limits limits;
  limits.array_jobs_max = 3;
  const auto read = [&] {
    return gateway::read_job(runtime::bytes::copy_of(job.dump()), limits);
  };
  auto submission = read();
  REQUIRE(submission);
  CHECK(submission->spec.inputs.empty());
  REQUIRE(submission->array.size() == 3);
  CHECK(submission->array[1].size() == 1);
  CHECK(submission->array[1] != submission->array[2]);
  job["array"].push_back(job["array"][0]);
  CHECK(read().error().details
        == std::vector<std::string>{"array: expected 1 to 3 jobs, got 4"});
}

TEST_CASE("what is wrong with an array is told with its place") {
  auto job = single_job();
  job["array"] = json::array({{{"inputs", job["inputs"]}}});
  CHECK(problems_of(job)
        == std::vector<std::string>{
          "inputs: not together with array, which gives each job its own"});
  job.erase("inputs");
  const auto element = job["array"][0];
  CHECK(refuses(job, "array", json::array(), "array"));
  CHECK(refuses(job, "array", 3, "array"));
  CHECK(refuses(job, "array", json::array({element, 3}), "array[1]"));
  CHECK(refuses(job, "array", json::array({element, json::object()}), "array[1].inputs"));
  auto wrong = element;
  wrong["inputs"][0]["datatype"] = "FP33";
  CHECK(refuses(job, "array", json::array({element, wrong}), "array[1].inputs[0].datatype"));
  wrong = element;
  wrong["name"] = "second";
  CHECK(refuses(job, "array", json::array({wrong}), "array[0].name"));
  auto shared = job_of("collaborative");
  CHECK(refuses(shared, "array", json::array({element}), "array"));
}

TEST_CASE("every member that is given is read") {
  auto job = job_of("collaborative");
  job["description"] = "d";
  job["reduce"] = {{"method", "histogram"}, {"bins", 20}, {"low", -1.5}, {"high", 2}};
  job["aggregate"] = {{"method", "trimmed_mean"}, {"trim", 0.1}};
  job["nodes"] = {{"min", 2}, {"max", 5}, {"include", {"a"}}, {"exclude", {"b"}}};
  job["retry"] = {{"attempts_max", 2}, {"backoff_ms", 5}, {"backoff_max_ms", 50}};
  job["priority"] = 9;
  job["timeout_ms"] = 1'000;
  job["required_cpu"] = 4;
  job["required_memory"] = 8;
  job["required_gpu"] = true;
  job["submitted_by"] = "me";
  auto spec = read_good(job);
  CHECK(spec.description == "d");
  CHECK(spec.reduce == actors::reduction::histogram);
  CHECK(spec.histogram_bins == 20);
  CHECK(double(spec.histogram_low) == -1.5);
  CHECK(double(spec.histogram_high) == 2.0);
  CHECK(spec.aggregate == actors::aggregation::trimmed_mean);
  CHECK(double(spec.trim) == 0.1);
  CHECK(spec.nodes.min == 2);
  CHECK(spec.nodes.max == 5);
  CHECK(spec.nodes.include == std::vector<std::string>{"a"});
  CHECK(spec.nodes.exclude == std::vector<std::string>{"b"});
  CHECK(spec.retry.attempts_max == 2);
  CHECK(spec.retry.backoff_ms == 5);
  CHECK(spec.retry.backoff_max_ms == 50);
  CHECK(spec.priority == 9);
  CHECK(spec.timeout_ms == 1'000);
  CHECK(spec.required_cpu == 4);
  CHECK(spec.required_memory == 8);
  CHECK(spec.required_gpu);
  CHECK(spec.submitted_by == "me");

  auto vote = job_of("comparative");
  vote["vote"] = {{"method", "weighted"}, {"tie", "abstain"}, {"weights", {1, 2.5, 3}}};
  auto weighted = read_good(vote);
  CHECK(weighted.vote == actors::vote_method::weighted);
  CHECK(weighted.tie_abstains);
  CHECK(double(weighted.steps[1].weight) == 2.5);

  auto compare = job_of("replicated");
  compare["compare"] = "exact";
  CHECK(read_good(compare).compare == actors::comparison::exact);
  auto reduce = job_of("collaborative");
  reduce["reduce"] = "sum";
  CHECK(read_good(reduce).reduce == actors::reduction::sum);
}

TEST_CASE("null counts as not given, and the pattern defaults to single") {
  auto job = single_job();
  job.erase("pattern");
  job["cabinet"] = nullptr;
  job["redundancy"] = nullptr;
  CHECK(read_good(job).kind == actors::pattern::single);
}

TEST_CASE("replicas need more than half of them to agree, and not more than there are") {
  auto job = job_of("replicated");
  for (auto [n, k] : {std::pair{1, 1}, std::pair{2, 2}, std::pair{3, 2}, std::pair{3, 3},
                      std::pair{4, 3}, std::pair{100, 51}}) {
    CAPTURE(n);
    job["redundancy"] = n;
    job["consensus"] = k;
    auto spec = read_good(job);
    CHECK(spec.redundancy == static_cast<std::uint32_t>(n));
    CHECK(spec.consensus == static_cast<std::uint32_t>(k));
  }
  for (auto [n, k] :
       {std::pair{3, 4}, std::pair{1, 2}, std::pair{2, 1}, std::pair{4, 2}, std::pair{100, 50}}) {
    CAPTURE(n);
    CAPTURE(k);
    job["redundancy"] = n;
    CHECK(refuses(job, "consensus", k, "consensus"));
  }
  job.erase("consensus");
  job["redundancy"] = 5;
  CHECK(read_good(job).consensus == 3);
  job["redundancy"] = 1;
  CHECK(read_good(job).consensus == 1);
}

TEST_CASE("a job may ask for hedges where its executions can move, and has the default elsewhere") {
  auto job = single_job();
  CHECK(read_good(job).hedge_after_ms == 0);
  job["hedge_after_ms"] = 700;
  CHECK(read_good(job).hedge_after_ms == 700);
  CHECK(refuses(job_of("replicated"), "hedge_after_ms", 700, "hedge_after_ms"));
  CHECK(refuses(job_of("collaborative"), "hedge_after_ms", 700, "hedge_after_ms"));
}

TEST_CASE("numbers out of their range are refused, and told what the range is") {
  auto job = job_of("replicated");
  CHECK(refuses(job, "redundancy", 0, "redundancy"));
  CHECK(refuses(job, "redundancy", 3'000'000'000, "redundancy"));
  job["redundancy"] = 3'000'000'000;
  CHECK(problems_of(job)[0] == "redundancy: expected a whole number from 1 to 100, got 3000000000");
  auto one = single_job();
  CHECK(refuses(one, "timeout_ms", -5, "timeout_ms"));
  CHECK(refuses(one, "timeout_ms", 0, "timeout_ms"));
  CHECK(refuses(one, "timeout_ms", 7 * 24 * 3'600'000 + 1, "timeout_ms"));
  CHECK(refuses(one, "timeout_ms", 1.5, "timeout_ms"));
  CHECK(refuses(one, "timeout_ms", "1000", "timeout_ms"));
  CHECK(refuses(one, "hedge_after_ms", -1, "hedge_after_ms"));
  CHECK(refuses(one, "priority", 10, "priority"));
  CHECK(refuses(one, "priority", -1, "priority"));
  CHECK(refuses(one, "required_cpu", -1, "required_cpu"));
  CHECK(refuses(one, "required_memory", 1e30, "required_memory"));
  CHECK(refuses(one, "required_gpu", 1, "required_gpu"));
  CHECK(refuses(one, "retry", {{"attempts_max", 0}}, "retry.attempts_max"));
  CHECK(refuses(one, "retry", {{"attempts_max", 11}}, "retry.attempts_max"));
  CHECK(refuses(one, "retry", {{"backoff_ms", -1}}, "retry.backoff_ms"));
  CHECK(refuses(one, "retry", {{"backoff_ms", 99'999}}, "retry.backoff_max_ms"));
}

TEST_CASE("names with path or control characters, empty or endless ones are refused") {
  for (auto name : {"../x", "a/b", "a\\b", "..", ".", "", "a\nb", "a\x7f"}) {
    CAPTURE(name);
    CHECK(refuses(single_job(), "name", name, "name"));
    CHECK(refuses(single_job(), "submitted_by", name, "submitted_by"));
    CHECK(refuses(job_of("collaborative"), "cabinet", name, "cabinet"));
    CHECK(refuses(job_of("collaborative"), "model", name, "model"));
    CHECK(refuses(single_job(), "nodes", {{"include", {name}}}, "nodes.include[0]"));
    auto job = single_job();
    job["inputs"][0]["name"] = name;
    CHECK(problems_of(job).size() == 1);
  }
  CHECK(refuses(single_job(), "name", std::string(256, 'a'), "name"));
  CHECK(refuses(single_job(), "description", std::string(5'000, 'a'), "description"));
}

TEST_CASE("a model is a name, or a name and a whole version") {
  for (auto model : {"a:b:1", "a:", ":1", "a:0", "a:01", "a:-1", "a:x", "-a", "a b"}) {
    CAPTURE(model);
    CHECK(refuses(single_job(), "model", model, "model"));
  }
  CHECK(refuses(single_job(), "model", 7, "model"));
  CHECK(refuses(job_of("comparative"), "models", json::array(), "models"));
  CHECK(refuses(job_of("comparative"), "models", {"a"}, "models"));
  CHECK(refuses(job_of("comparative"), "models", {"a", "b", "a"}, "models[2]"));
  CHECK(refuses(job_of("comparative"), "models", "a", "models"));
  CHECK(refuses(job_of("comparative"), "models", {"a", "b/"}, "models[1]"));
  CHECK(refuses(job_of("chained"), "steps", json::array(), "steps"));
  CHECK(refuses(job_of("chained"), "steps", json::array({json::object()}), "steps[0].model"));
  CHECK(refuses(job_of("chained"), "steps", {"a"}, "steps[0]"));
  CHECK(
    refuses(job_of("chained"), "steps", {{{"model", "a"}, {"map", {{"x", 1}}}}}, "steps[0].map.x"));
  auto models = json::array();
  for (int i = 0; i < 65; ++i)
    models.push_back("m" + std::to_string(i));
  CHECK(refuses(job_of("comparative"), "models", models, "models"));
}

TEST_CASE("words that are not among the choices are refused with the choices") {
  auto job = single_job();
  job["pattern"] = "triple";
  auto problems = problems_of(job);
  REQUIRE(problems.size() == 1);
  CHECK(problems[0]
        == "pattern: expected \"single\", \"replicated\", \"collaborative\", \"comparative\" or "
           "\"chained\", got \"triple\"");
  CHECK(refuses(job_of("replicated"), "compare", "close", "compare"));
  CHECK(refuses(job_of("collaborative"), "reduce", "product", "reduce"));
  CHECK(refuses(job_of("collaborative"), "aggregate", {{"method", "best"}}, "aggregate.method"));
  CHECK(refuses(job_of("comparative"), "vote", {{"method", "best"}}, "vote.method"));
  CHECK(refuses(job_of("comparative"), "vote", {{"tie", "first"}}, "vote.tie"));
  CHECK(refuses(job_of("comparative"), "vote", "majority", "vote"));
}

TEST_CASE("the rules inside vote, reduce, aggregate and nodes are kept") {
  auto vote = job_of("comparative");
  CHECK(refuses(vote, "vote", {{"method", "weighted"}}, "vote.weights"));
  CHECK(refuses(vote, "vote", {{"method", "weighted"}, {"weights", {1, 2}}}, "vote.weights"));
  CHECK(refuses(vote, "vote", {{"method", "weighted"}, {"weights", {1, 0, 2}}}, "vote.weights[1]"));
  CHECK(refuses(vote, "vote", {{"weights", {1, 2, 3}}}, "vote.weights"));
  auto rows = job_of("collaborative");
  CHECK(refuses(rows, "reduce", {{"method", "mean"}, {"bins", 5}}, "reduce.bins"));
  CHECK(refuses(rows, "reduce", {{"method", "histogram"}, {"low", 1}, {"high", 1}}, "reduce.low"));
  CHECK(refuses(rows, "reduce", {{"method", "histogram"}, {"bins", 0}}, "reduce.bins"));
  CHECK(refuses(rows, "aggregate", {{"method", "mean"}, {"trim", 0.1}}, "aggregate.trim"));
  CHECK(refuses(rows, "aggregate", {{"method", "trimmed_mean"}, {"trim", 0.5}}, "aggregate.trim"));
  CHECK(refuses(rows, "nodes", {{"min", 3}, {"max", 2}}, "nodes.max"));
  CHECK(refuses(rows, "nodes", {{"min", 0}}, "nodes.min"));
  CHECK(refuses(rows, "nodes", {{"include", {"a", "a"}}}, "nodes.include[1]"));
  CHECK(refuses(rows, "nodes", {{"include", {"a"}}, {"exclude", {"a"}}}, "nodes.exclude[0]"));
}

TEST_CASE("members of another pattern are refused, and missing ones are named") {
  CHECK(refuses(single_job(), "redundancy", 3, "redundancy"));
  CHECK(refuses(single_job(), "consensus", 2, "consensus"));
  CHECK(refuses(single_job(), "compare", "exact", "compare"));
  CHECK(refuses(single_job(), "models", {"a", "b"}, "models"));
  CHECK(refuses(single_job(), "steps", {{{"model", "a"}}}, "steps"));
  CHECK(refuses(single_job(), "cabinet", "c", "cabinet"));
  CHECK(refuses(single_job(), "vote", json::object(), "vote"));
  CHECK(refuses(single_job(), "reduce", "mean", "reduce"));
  CHECK(refuses(single_job(), "aggregate", json::object(), "aggregate"));
  CHECK(refuses(single_job(), "nodes", {{"min", 1}}, "nodes.min"));
  CHECK(refuses(job_of("collaborative"), "inputs", json::array({sample_tensor()}), "inputs"));
  CHECK(problems_of({{"pattern", "single"}})
        == std::vector<std::string>{"model: missing; pattern \"single\" needs it",
                                    "inputs: missing; pattern \"single\" needs it"});
}

TEST_CASE("unknown and repeated members are refused by name, and command jobs as unsupported") {
  CHECK(refuses(single_job(), "colour", "red", "colour"));
  CHECK(refuses(single_job(), "retry", {{"colour", 1}}, "retry.colour"));
  auto text = single_job().dump();
  text.insert(1, R"("name":"other",)");
  auto repeated = read_text(text);
  REQUIRE(!repeated);
  CHECK(repeated.error().details == std::vector<std::string>{"name: given twice"});

  for (auto member : {"docker_image", "command", "environment"}) {
    auto job = single_job();
    job[member] = "x";
    auto refused = read_text(job.dump());
    REQUIRE(!refused);
    CHECK(refused.error().code == error_code::unsupported);
    job["priority"] = 99;
    CHECK(problems_of(job).size() == 2);
  }
}

TEST_CASE("all problems of a job are named at once") {
  json job = {
    {"name", "a/b"},        {"pattern", "replicated"},
    {"model", "x:y"},       {"redundancy", 3},
    {"consensus", 1},       {"priority", -1},
    {"timeout_ms", -1},     {"colour", 1},
    {"vote", {{"tie", 1}}}, {"inputs", {{{"name", "x"}, {"datatype", "FP99"}, {"shape", {-1}}}}}};
  auto problems = problems_of(job);
  for (auto path : {"name", "model", "consensus", "priority", "timeout_ms", "colour", "vote",
                    "vote.tie", "inputs[0].datatype", "inputs[0].shape[0]"}) {
    CAPTURE(path);
    auto start = std::string{path} + ": ";
    CHECK(std::count_if(problems.begin(), problems.end(),
                        [&](auto& each) { return each.find(start) == 0; })
          == 1);
  }
}

}  // namespace
