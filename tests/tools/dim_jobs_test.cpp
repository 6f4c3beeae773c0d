#include <doctest/doctest.h>

#include "tests/tools/dim_run.hpp"
#include "tests/tools/fake_gateway.hpp"

using namespace dim::tests;

namespace {

constexpr auto first_page = R"({"jobs": [
  {"id": "0190c2a4-7b1e-7cc0-8000-000000000002", "name": "a name that is rather long for a table",
   "pattern": "single", "status": "failed", "submitted_at": "2025-11-20T15:04:05.000Z",
   "started_at": "2025-11-20T15:04:05.100Z", "completed_at": "2025-11-20T15:04:06.600Z",
   "error": {"code": "no_nodes", "message": "none"}},
  {"id": "0190c2a4-7b1d-7cc0-8000-000000000001", "name": null, "pattern": "chained",
   "status": "running", "submitted_at": "2025-11-20T15:04:04.000Z", "started_at": null,
   "completed_at": null, "error": null}], "next_cursor": "c/1"})";

constexpr auto last_page = R"({"jobs": [{"id": "0190c2a4-7b1c-7cc0-8000-000000000000",
  "pattern": "single", "status": "completed"}], "next_cursor": null})";

constexpr auto completed = R"({"id": "0190c2a4-7b1e-7cc0-8000-000000000002", "name": "vote",
  "pattern": "comparative", "model": null, "models": ["a:1", "b:2"], "status": "completed",
  "submitted_at": "2025-11-20T15:04:05.000Z", "started_at": "2025-11-20T15:04:05.100Z",
  "completed_at": "2025-11-20T15:04:05.112Z", "error": null,
  "result": {"label": "7", "agreement_ratio": 1.0, "partial": true, "missing": ["n3"],
    "outputs": [{"name": "y", "datatype": "FP32", "shape": [2], "data": [0.25, 1]}],
    "participants": [{"model": "a", "version": "1", "node_id": "n1", "label": "7", "weight": 1.0,
                      "rows": 0, "error": null}]}})";

/// Answers by the target of the request; 404 for any other.
fake_gateway gateway_with(std::map<std::string, std::string> bodies) {
  return fake_gateway{[bodies = std::move(bodies)](const seen_request& request, auto) {
    const auto found = bodies.find(request.target);
    if (found != bodies.end())
      return scripted_answer{.body = found->second};
    return scripted_answer{
      .status = 404,
      .body = R"({"error": "no such thing", "code": "not_found", "details": []})"};
  }};
}

}  // namespace

TEST_CASE("list prints a table with shortened ids and says that there are more") {
  auto gateway = gateway_with({{"/api/v1/jobs?limit=50", first_page}});
  dim_run run{{"list"}, gateway.url()};
  CHECK(run.status == 0);
  CHECK(run.out.str()
        == "ID             NAME                                    PATTERN  STATUS   "
           "SUBMITTED (UTC)       TOOK  ERROR\n"
           "0190c2a4-7b1e  a name that is rather long for a table  single   failed   "
           "2025-11-20 15:04:05  1.5 s  no_nodes: none\n"
           "0190c2a4-7b1d                                          chained  running  "
           "2025-11-20 15:04:04\n");
  CHECK(run.err.str().find("--all") != std::string::npos);
}

TEST_CASE("a table keeps to the width of the terminal, and --full keeps everything") {
  auto gateway = gateway_with({{"/api/v1/jobs?limit=50", first_page}});
  dim_run narrow{{"list"}, gateway.url(), "", 90};
  std::istringstream lines{narrow.out.str()};
  for (std::string line; std::getline(lines, line);)
    CHECK(line.size() <= 92);  // "…" is three bytes wide and one column.
  CHECK(narrow.out.str().find("rather long for a table") == std::string::npos);
  dim_run full{{"list", "--full"}, gateway.url(), "", 90};
  CHECK(full.out.str().find("0190c2a4-7b1e-7cc0-8000-000000000002") != std::string::npos);
  CHECK(full.out.str().find("rather long for a table") != std::string::npos);
}

TEST_CASE("list --all follows the cursor, and filters are passed on") {
  auto gateway = gateway_with(
    {{"/api/v1/jobs?status=failed&pattern=single&limit=2", first_page},
     {"/api/v1/jobs?status=failed&pattern=single&limit=2&cursor=c%2F1", last_page}});
  dim_run run{{"list", "--all", "--status", "failed", "--pattern", "single", "--limit", "2",
               "--json"},
              gateway.url()};
  CHECK(run.status == 0);
  CHECK(gateway.requests().size() == 2);
  CHECK(run.out.str().find("0190c2a4-7b1e") != std::string::npos);
  CHECK(run.out.str().find("0190c2a4-7b1c") != std::string::npos);
}

TEST_CASE("a cursor that does not move on ends the list") {
  fake_gateway gateway{[](auto&, auto) { return scripted_answer{.body = first_page}; }};
  dim_run run{{"list", "--all"}, gateway.url()};
  CHECK(run.status == 0);
  CHECK(gateway.requests().size() == 2);
}

TEST_CASE("get passes a prefix on and prints the job with its result") {
  auto gateway = gateway_with({{"/api/v1/jobs/0190", completed}});
  dim_run run{{"get", "0190"}, gateway.url()};
  CHECK(run.status == 0);
  CHECK(run.out.str()
        == "id          0190c2a4-7b1e-7cc0-8000-000000000002\n"
           "name        vote\n"
           "pattern     comparative\n"
           "models      a:1, b:2\n"
           "status      completed\n"
           "submitted   2025-11-20 15:04:05\n"
           "took        12 ms\n"
           "partial     missing: n3\n"
           "label       7\n"
           "agreement   100 %\n"
           "output      y FP32 [2]  0.25, 1\n"
           "\n"
           "MODEL  NODE  LABEL  WEIGHT  ROWS\n"
           "a:1    n1    7           1     0\n");
}

TEST_CASE("get shows executions, history and placement when asked, under their names in JSON") {
  auto gateway = gateway_with(
    {{"/api/v1/jobs/0190", completed},
     {"/api/v1/jobs/0190/executions",
      R"({"executions": [{"id": "e1", "node_id": "n1", "model": "a", "version": "1", "step": 0,
          "slot": 1, "attempt": 2, "status": "lost", "error_code": "node_lost",
          "error_message": "gone", "logs": "one\ntwo"}]})"},
     {"/api/v1/jobs/0190/history",
      R"({"events": [{"number": 7, "kind": "job_submitted", "at": "2025-11-20T15:04:05.000Z",
          "node_id": null, "execution_id": null, "detail": {"a": 1}}]})"},
     {"/api/v1/jobs/0190/placement",
      R"({"placements": [{"execution_id": "e1", "candidates": [{"node_id": "n1", "node_name":
          "one", "chosen": true, "refusal": null, "score": 0.5}, {"node_id": "n2",
          "chosen": false, "refusal": "full"}]}]})"}});
  const std::vector<std::string> arguments
    = {"get", "0190", "--executions", "--history", "--placement", "--full"};
  dim_run run{arguments, gateway.url()};
  CHECK(run.status == 0);
  for (std::string part :
       {"e1         n1    a:1    1        2  lost    node_lost: gone\n",
        "logs of e1\n  one\n  two\n",
        "     7  2025-11-20 15:04:05.000  job_submitted  {\"a\":1}\n",
        "e1         one   yes       0.5\n", "  full\n"}) {
    CAPTURE(run.out.str());
    CAPTURE(part);
    CHECK(run.out.str().find(part) != std::string::npos);
  }
  auto with_json = arguments;
  with_json.push_back("--json");
  const auto text = dim_run{with_json, gateway.url()}.out.str();
  for (auto name : {"\"job\": {", "\"executions\": {", "\"history\": {", "\"placement\": {"})
    CHECK(text.find(name) != std::string::npos);
}

TEST_CASE("get --wait-ms waits in steps and stops at the job's end") {
  fake_gateway gateway{[](auto&, std::size_t before) {
    return scripted_answer{.body = before == 1 ? completed : R"({"status": "running"})"};
  }};
  dim_run run{{"get", "0190", "--wait-ms", "100000"}, gateway.url()};
  CHECK(run.status == 0);
  REQUIRE(gateway.requests().size() == 2);
  CHECK(gateway.requests()[0].target == "/api/v1/jobs/0190?wait_ms=30000");
}

TEST_CASE("a job that does not exist ends with status 1") {
  auto gateway = gateway_with({});
  for (auto command : {"get", "cancel", "watch"}) {
    dim_run run{{command, "nope"}, gateway.url()};
    CHECK(run.status == 1);
    CHECK(run.err.str() == "dim: no such thing\ncode: not_found\n");
  }
}

TEST_CASE("ids with characters of a path stay one segment") {
  auto gateway = gateway_with({});
  dim_run{{"get", "../nodes?x"}, gateway.url()};
  CHECK(gateway.requests().at(0).target == "/api/v1/jobs/..%2Fnodes%3Fx");
}

TEST_CASE("cancel deletes the job and prints its new status") {
  auto gateway = gateway_with({{"/api/v1/jobs/0190", R"({"id": "0190c", "status": "cancelled"})"}});
  dim_run run{{"cancel", "0190"}, gateway.url()};
  CHECK(run.status == 0);
  CHECK(gateway.requests().at(0).method == "DELETE");
  CHECK(run.out.str() == "0190c cancelled\n");
}

namespace {

/// A job that is pending, then runs, and has ended at the third look.
fake_gateway job_in_three_looks() {
  return fake_gateway{[looks = 0](const seen_request& request, auto) mutable {
    if (request.target.ends_with("/executions"))
      return scripted_answer{.body = looks == 1 ? R"({"executions": []})" : R"({"executions": [
        {"step": 0, "slot": 0, "status": "completed"}]})"};
    const char* job[] = {R"({"status": "pending", "pattern": "comparative", "models": ["a", "b"]})",
                         R"({"status": "running", "pattern": "comparative", "models": ["a", "b"]})",
                         completed};
    return scripted_answer{.body = job[std::min(looks++, 2)]};
  }};
}

}  // namespace

TEST_CASE("watch prints a line for each change and ends with the job") {
  auto gateway = job_in_three_looks();
  dim_run run{{"watch", "0190"}, gateway.url()};
  CHECK(run.status == 0);
  CHECK(run.err.str() == "pending, 0 of 2 answers\nrunning, 1 of 2 answers\n");
  CHECK(run.out.str().starts_with("id    "));
  CHECK(gateway.requests()[0].target == "/api/v1/jobs/0190");
  CHECK(gateway.requests()[2].target == "/api/v1/jobs/0190?wait_ms=500");
}

TEST_CASE("watch draws a bar on a terminal and clears it at the end") {
  auto gateway = job_in_three_looks();
  dim_run run{{"watch", "0190"}, gateway.url(), "", 80};
  CHECK(run.status == 0);
  CHECK(run.out.str().starts_with("\r\x1b[K[------------------------] pending, 0 of 2 answers"
                                  "\r\x1b[K[############------------] running, 1 of 2 answers"
                                  "\r\x1b[Kid    "));
}

TEST_CASE("watch outlives a gateway that is away for a while") {
  fake_gateway gateway{[](auto&, std::size_t before) {
    return before < 2 ? scripted_answer::closed() : scripted_answer{.body = completed};
  }};
  dim_run run{{"watch", "0190"}, gateway.url()};
  CHECK(run.status == 0);
  CHECK(gateway.requests().size() == 3);
}

TEST_CASE("watch does not ask a gateway without rest when that does not wait") {
  auto gateway = job_in_three_looks();
  dim_run run{{"watch", "0190"}, gateway.url()};
  CHECK(run.pauses == std::vector<std::int64_t>{500});
}

TEST_CASE("nodes are a table, and one node is all its fields") {
  auto gateway = gateway_with(
    {{"/api/v1/nodes", R"({"nodes": [{"id": "0190c2a4-7b1e-7cc0-8000-000000000002", "name": "one",
       "state": "online", "reputation_score": 105.0, "cpu_cores": 4, "memory_gb": 8, "devices":
       [{"name": "cpu:0"}, {"name": "cpu:1"}], "cabinets": [], "successful_jobs_run": 7,
       "failed_jobs": 1, "last_heartbeat": "2025-11-20T15:04:05.000Z"}]})"},
     {"/api/v1/nodes/0190", R"({"id": "0190", "load": {"queued": 3}})"}});
  dim_run all{{"nodes"}, gateway.url()};
  CHECK(all.status == 0);
  CHECK(all.out.str().find("0190c2a4-7b1e  one   online         105      4    8 GB  cpu:0, cpu:1")
        != std::string::npos);
  CHECK(dim_run{{"nodes", "0190"}, gateway.url()}.out.str() == "id           0190\n"
                                                              "load.queued  3\n");
}
