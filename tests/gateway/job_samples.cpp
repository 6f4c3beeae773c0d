#include "tests/gateway/job_samples.hpp"

#include <doctest/doctest.h>

namespace dim::tests {

using nlohmann::json;

json sample_tensor() {
  return {{"name", "x"}, {"datatype", "FP32"}, {"shape", {1, 2}}, {"data", {0.5, 1}}};
}

json job_of(std::string_view pattern) {
  json job = {{"pattern", pattern}};
  if (pattern == "comparative")
    job["models"] = {"digits-mlp", "digits-cnn:2", "digits-linear"};
  else if (pattern == "chained")
    job["steps"] =
      json::parse(R"([{"model": "standardize"}, {"model": "digits", "map": {"x": "y"}}])");
  else
    job["model"] = "digits:3";
  if (pattern == "collaborative")
    job["cabinet"] = "patients";
  else
    job["inputs"] = json::array({sample_tensor()});
  return job;
}

json single_job() {
  auto job = job_of("single");
  job["name"] = "one";
  job["model"] = "digits";
  return job;
}

runtime::expected<actors::job_spec> read_text(std::string_view text) {
  auto read = gateway::read_job(runtime::bytes::copy_of(text), gateway::job_limits{});
  if (!read)
    return tl::unexpected(std::move(read.error()));
  return std::move(read->spec);
}

actors::job_spec read_good(const json& job) {
  auto spec = read_text(job.dump());
  if (!spec)
    for (auto& detail : spec.error().details)
      MESSAGE(detail);
  REQUIRE(spec);
  return *spec;
}

std::vector<std::string> problems_of(const json& job) {
  auto spec = read_text(job.dump());
  REQUIRE(!spec);
  CHECK(spec.error().code == runtime::error_code::bad_input);
  return spec.error().details;
}

}  // namespace dim::tests
