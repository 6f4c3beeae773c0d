// Arrays of jobs over HTTP.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/gateway/gateway_fixture.hpp"

namespace {

using namespace dim;
using namespace dim::tests;
using nlohmann::json;
using actors::job_state;
using fixture = gateway_fixture;

const std::string array_id = "0190a0a0-0000-7000-8000-0000000000aa";

json array_of(std::size_t size) {
  json element = {{"inputs",
                   {{{"name", "x"}, {"datatype", "FP32"}, {"shape", {1, 2}}, {"data", {1, 2}}}}}};
  json job = {{"model", "digits"}, {"array", json::array()}};
  for (std::size_t i = 0; i < size; ++i)
    job["array"].push_back(element);
  return job;
}

TEST_CASE("an array is submitted at once, and answered with its id and those of its jobs") {
  fixture f;
  auto reply = f.ask("POST", "/api/v1/jobs", array_of(2));
  CHECK(reply.status == 202);
  CHECK(reply.headers["location"] == "/api/v1/arrays/" + array_id);
  CHECK(json::parse(reply.body)
        == json{{"array_id", array_id}, {"status", "pending"}, {"jobs", {"job-1", "job-2"}}});
  REQUIRE(f.script->submissions().size() == 1);
  CHECK(f.script->submissions()[0].array.size() == 2);
  CHECK(f.script->submissions()[0].spec.inputs.empty());
  CHECK(f.ask("POST", "/api/v1/jobs", array_of(2), "Idempotency-Key: known\r\n").status == 200);
}

TEST_CASE("more jobs than an array may have are refused before they are sent on") {
  config::options options;
  options.orchestrator.array_jobs_max = 2;
  fixture f{options};
  auto reply = f.ask("POST", "/api/v1/jobs", array_of(3));
  CHECK(reply.status == 400);
  CHECK(json::parse(reply.body)["details"] == json{"array: expected 1 to 2 jobs, got 3"});
  CHECK(f.script->submissions().empty());
}

TEST_CASE("an array is shown with its jobs, and how many are in each state") {
  fixture f;
  f.script->array.id = array_id;
  f.script->array.elements = {{"job-1", 0, job_state::completed, {}},
                              {"job-2", 1, job_state::running, {}},
                              {"job-3", 2, job_state::failed,
                               {runtime::error_code::no_nodes, "too few", {}}}};
  auto shown = f.get("/api/v1/arrays/" + array_id);
  CHECK(shown["array_id"] == array_id);
  CHECK(shown["status"] == "running");
  CHECK(shown["size"] == 3);
  CHECK(shown["counts"]
        == json{{"pending", 0}, {"scheduled", 0}, {"running", 1},
                {"completed", 1}, {"failed", 1}, {"cancelled", 0}});
  CHECK(shown["jobs"][1]
        == json{{"id", "job-2"}, {"array_index", 1}, {"status", "running"}, {"error", nullptr}});
  CHECK(shown["jobs"][2]["error"] == json{{"code", "no_nodes"}, {"message", "too few"}});
  auto reply = f.ask("DELETE", "/api/v1/arrays/" + array_id);
  CHECK(reply.status == 200);
  auto cancelled = json::parse(reply.body);
  CHECK(cancelled["counts"]["cancelled"] == 1);
  CHECK(cancelled["status"] == "failed");
  f.get("/api/v1/arrays/0190", 404);
  f.get("/api/v1/arrays/" + std::string(65, 'a'), 404);
}

TEST_CASE("an array's own status is that of what is left to do, then of its worst end") {
  fixture f;
  f.script->array.id = array_id;
  const auto status_of = [&](job_state one, job_state other) {
    f.script->array.elements = {{"job-1", 0, one, {}}, {"job-2", 1, other, {}}};
    return f.get("/api/v1/arrays/" + array_id)["status"].get<std::string>();
  };
  CHECK(status_of(job_state::pending, job_state::pending) == "pending");
  CHECK(status_of(job_state::pending, job_state::completed) == "running");
  CHECK(status_of(job_state::scheduled, job_state::pending) == "running");
  CHECK(status_of(job_state::completed, job_state::completed) == "completed");
  CHECK(status_of(job_state::completed, job_state::cancelled) == "cancelled");
  CHECK(status_of(job_state::cancelled, job_state::failed) == "failed");
}

TEST_CASE("jobs are listed by array, which is named by its whole id") {
  fixture f;
  f.get("/api/v1/jobs?array=" + array_id);
  CHECK(f.script->array_filter() == array_id);
  CHECK(f.get("/api/v1/jobs?array=0190", 400)["details"]
        == json{"array: expected the whole id of an array"});
}

}  // namespace
