// Arrays of jobs on the command line.
#include <doctest/doctest.h>

#include "tests/tools/dim_run.hpp"
#include "tests/tools/fake_gateway.hpp"

using namespace dim::tests;

namespace {

const std::string array_id = "0190c2a4-7b1e-7cc0-8000-0000000000aa";

/// An array of two jobs, of which the first is completed.
std::string array_body(const std::string& status, const std::string& second) {
  return R"({"array_id": ")" + array_id + R"(", "status": ")" + status
         + R"(", "size": 2, "counts": {"pending": 0, "running": )"
         + (second == "running" ? "1" : "0") + R"(, "completed": 1, "failed": )"
         + (second == "failed" ? "1" : "0") + R"(}, "jobs": [
           {"id": "0190c2a4-7b1e-7cc0-8000-000000000001", "array_index": 0, "status": "completed",
            "error": null},
           {"id": "0190c2a4-7b1e-7cc0-8000-000000000002", "array_index": 1, "status": ")"
         + second + R"(", "error": )"
         + (second == "failed" ? R"({"code": "no_nodes", "message": "too few"})" : "null") + "}]}";
}

/// Knows no job, and one array.
scripted_answer find(const seen_request& request, const std::string& body) {
  if (request.target == "/api/v1/arrays/" + array_id)
    return {.body = body};
  return {.status = 404, .body = R"({"error": "no such thing", "code": "not_found"})"};
}

}  // namespace

TEST_CASE("submit prints an array's id alone") {
  fake_gateway gateway{[](auto&, auto) {
    return scripted_answer{.status = 202,
                           .body = R"({"array_id": ")" + array_id
                                   + R"(", "status": "pending", "jobs": ["a", "b"]})"};
  }};
  dim_run run{{"submit", "-"}, gateway.url(), R"({"model": "m", "array": []})"};
  CHECK(run.status == 0);
  CHECK(run.out.str() == array_id + "\n");
  CHECK(gateway.requests().at(0).body == R"({"model": "m", "array": []})");
}

TEST_CASE("submit --wait follows an array to the end of its last job") {
  fake_gateway gateway{[](const seen_request& request, std::size_t before) {
    if (request.method == "POST")
      return scripted_answer{.status = 202,
                             .body = R"({"array_id": ")" + array_id + R"(", "jobs": []})"};
    return find(request, before < 3 ? array_body("running", "running")
                                    : array_body("failed", "failed"));
  }};
  dim_run run{{"submit", "-", "--wait"}, gateway.url(), R"({"model": "m", "array": []})"};
  CHECK(run.status == 1);
  CHECK(run.err.str() == "running: 1 running, 1 completed\n");
  CHECK(run.pauses == std::vector<std::int64_t>{500, 500});
  CHECK(run.out.str().find("failed: 1 completed, 1 failed") != std::string::npos);
  CHECK(run.out.str().find("no_nodes: too few") != std::string::npos);
}

TEST_CASE("get and cancel find an array where no job has the id") {
  fake_gateway gateway{[](const seen_request& request, auto) {
    return find(request, array_body("running", "running"));
  }};
  dim_run get{{"get", array_id}, gateway.url()};
  CHECK(get.status == 0);
  CHECK(get.out.str().starts_with(array_id + "  running: 1 running, 1 completed\n"));
  CHECK(gateway.requests().at(0).target == "/api/v1/jobs/" + array_id);
  dim_run cancel{{"cancel", array_id}, gateway.url()};
  CHECK(cancel.status == 0);
  CHECK(cancel.out.str() == array_id + " running: 1 running, 1 completed\n");
  CHECK(gateway.requests().back().method == "DELETE");
  dim_run neither{{"get", "0190"}, gateway.url()};
  CHECK(neither.status == 1);
  CHECK(neither.err.str().find("no such thing") != std::string::npos);
}

TEST_CASE("watch follows an array where no job has the id, with a bar on a terminal") {
  auto running_once = [](const seen_request& request, std::size_t before) {
    return find(request, before < 3 ? array_body("running", "running")
                                    : array_body("completed", "completed"));
  };
  fake_gateway gateway{running_once};
  dim_run run{{"watch", array_id}, gateway.url()};
  CHECK(run.status == 0);
  CHECK(gateway.requests().at(0).target == "/api/v1/jobs/" + array_id);
  CHECK(run.err.str() == "running: 1 running, 1 completed\n");
  CHECK(run.out.str().starts_with(array_id + "  completed: "));
  fake_gateway other{running_once};
  dim_run drawn{{"watch", array_id}, other.url(), "", 80};
  CHECK(drawn.status == 0);
  CHECK(drawn.out.str().starts_with("\r\x1b[K[############------------] running: 1 running, 1 "));
  CHECK(drawn.err.str().empty());
  fake_gateway away{[](auto&, std::size_t before) {
    return before == 0 ? scripted_answer{.status = 404, .body = R"({"code": "not_found"})"}
                       : scripted_answer{.status = 403, .body = R"({"code": "forbidden"})"};
  }};
  dim_run refused{{"watch", array_id}, away.url()};
  CHECK(refused.status == 1);
  CHECK(refused.err.str().find("forbidden") != std::string::npos);
}

TEST_CASE("list asks for the jobs of one array") {
  fake_gateway gateway{[](auto&, auto) { return scripted_answer{.body = R"({"jobs": []})"}; }};
  dim_run{{"list", "--array", array_id}, gateway.url()};
  CHECK(gateway.requests().at(0).target == "/api/v1/jobs?array=" + array_id + "&limit=50");
}

namespace {

/// Knows of several jobs, and of one array, whose ids begin with `beginning`.
fake_gateway gateway_of_one_moment(const std::string& beginning) {
  return fake_gateway{[beginning](const seen_request& request, auto) {
    if (request.target == "/api/v1/arrays/" + beginning)
      return scripted_answer{.body = array_body("completed", "completed")};
    if (request.target == "/api/v1/jobs/" + beginning)
      return scripted_answer{.status = 400,
                             .body = R"({"code": "bad_input", "error": "id: )" + beginning
                                     + R"( is the beginning of several ids"})"};
    return scripted_answer{.status = 404, .body = R"({"error": "no", "code": "not_found"})"};
  }};
}

}  // namespace

TEST_CASE("what is shown of an array's id names it, though its jobs' ids begin so, too") {
  const auto shown = array_id.substr(0, 13);
  for (auto command : {"get", "watch"}) {
    auto gateway = gateway_of_one_moment(shown);
    const dim_run run{{command, shown}, gateway.url()};
    CHECK(run.status == 0);
    CHECK(run.out.str().starts_with(array_id));
  }
  auto gateway = gateway_of_one_moment(shown);
  const dim_run cancel{{"cancel", shown}, gateway.url()};
  CHECK(cancel.status == 1);
  CHECK(gateway.requests().size() == 1);
}

TEST_CASE("a shorter beginning of several ids is refused") {
  for (auto command : {"get", "watch"}) {
    auto gateway = gateway_of_one_moment("0190");
    const dim_run run{{command, "0190"}, gateway.url()};
    CHECK(run.status == 1);
    CHECK(run.err.str() == "dim: id: 0190 is the beginning of several ids\ncode: bad_input\n");
  }
}
