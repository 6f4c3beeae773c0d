#include "gateway/job_json_writer.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/gateway/job_samples.hpp"

namespace {

using namespace dim;
using namespace dim::gateway;
using namespace dim::tests;
using nlohmann::json;
using runtime::error_code;

TEST_CASE("a job is shown with every member of the interface, and null where it is empty") {
  actors::job_record job;
  job.id = "0190a0a0-0000-7000-8000-000000000001";
  job.spec = read_good(single_job());
  job.submitted_at = 1'763'651'045'007;
  json_writer out;
  write_job(out, job, nullptr);
  auto shown = json::parse(out.take());
  for (auto member :
       {"id",          "name",         "description",  "docker_image",    "command",
        "environment", "input_data",   "required_cpu", "required_memory", "required_gpu",
        "redundancy",  "consensus",    "status",       "submitted_by",    "submitted_at",
        "started_at",  "completed_at", "result",       "error_message",   "credits_required",
        "pattern",     "error",        "model",        "models",          "steps",
        "priority",    "timeout_ms",   "cabinet",      "hedge_after_ms",  "array_id",
        "array_index"}) {
    CAPTURE(member);
    CHECK(shown.contains(member));
  }
  for (auto member : {"description", "docker_image", "command", "environment", "submitted_by",
                      "started_at", "completed_at", "result", "error", "error_message",
                      "array_id", "array_index"}) {
    CAPTURE(member);
    CHECK(shown[member].is_null());
  }
  CHECK(shown["status"] == "pending");
  CHECK(shown["submitted_at"] == "2025-11-20T15:04:05.007Z");
  CHECK(shown["credits_required"] == 1);
  CHECK(shown["redundancy"] == 3);
  CHECK(shown["input_data"][0]["data"] == json{0.5, 1});
}

TEST_CASE("a job of an array is shown with the array and its place there") {
  actors::job_record job;
  job.spec = read_good(job_of("single"));
  job.array_id = "0190a0a0-0000-7000-8000-0000000000aa";
  job.array_index = 0;
  json_writer out;
  write_job(out, job, nullptr);
  auto shown = json::parse(out.take());
  CHECK(shown["array_id"] == job.array_id);
  CHECK(shown["array_index"] == 0);
}

TEST_CASE("a result is shown with outputs, verification, participants and the failure") {
  actors::job_record job;
  job.spec = read_good(job_of("replicated"));
  job.error = {error_code::no_nodes, "too few", {"node-1: busy"}};
  actors::job_result result;
  result.outputs = job.spec.inputs;
  result.missing = {"n3"};
  result.partial = true;
  result.verified.votes = 3;
  result.verified.agreeing_nodes = {"n1", "n2"};
  result.verified.disagreeing_nodes = {"n3"};
  result.verified.reached = true;
  result.agreement_ratio = 0.75;
  result.participants.push_back({"m", "1", "n1", "7", 2.0, 10, {}, {error_code::timeout, "", {}}});
  json_writer out;
  write_job(out, job, &result);
  auto shown = json::parse(out.take());
  CHECK(shown["error"]["code"] == "no_nodes");
  CHECK(shown["error"]["details"] == json{"node-1: busy"});
  CHECK(shown["error_message"] == "too few");
  auto& found = shown["result"];
  CHECK(found["outputs"].size() == 1);
  CHECK(found["partial"] == true);
  CHECK(found["missing"] == json{"n3"});
  CHECK(found["verification"]["votes"] == 3);
  CHECK(found["verification"]["agreeing_nodes"] == json{"n1", "n2"});
  CHECK(found["agreement_ratio"] == 0.75);
  CHECK(found["label"].is_null());
  CHECK(found["participants"][0]["rows"] == 10);
  CHECK(found["participants"][0]["error"]["code"] == "timeout");
  CHECK(found["participants"][0]["error"]["message"] != "");
}

}  // namespace
