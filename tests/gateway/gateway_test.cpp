#include "gateway/gateway.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "runtime/digest.hpp"
#include "tests/gateway/gateway_fixture.hpp"

namespace {

using namespace dim;
using namespace dim::tests;
using namespace std::chrono_literals;
using nlohmann::json;
using runtime::error_code;
using fixture = gateway_fixture;

json sample_job() {
  json tensor = {{"name", "x"}, {"datatype", "FP32"}, {"shape", {1, 2}}, {"data", {0.5, 1}}};
  return {{"name", "one"}, {"model", "digits"}, {"inputs", json::array({tensor})}};
}

TEST_CASE("a submitted job goes to ENTRY, and is answered 202 with its location") {
  fixture f;
  auto reply = f.ask("POST", "/api/v1/jobs", sample_job(), "Idempotency-Key: k1\r\n");
  CHECK(reply.status == 202);
  CHECK(reply.headers["location"] == "/api/v1/jobs/" + job_id);
  CHECK(json::parse(reply.body) == json{{"id", job_id}, {"status", "pending"}});
  auto sent = f.script->submissions();
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].idempotency_key == "k1");
  CHECK(sent[0].body_digest == runtime::sha256_hex(sample_job().dump()));
  CHECK(sent[0].spec.name == "one");
  CHECK(sent[0].spec.inputs.at(0).data.size() == 8);

  auto known = f.ask("POST", "/api/v1/jobs", sample_job(), "Idempotency-Key: known\r\n");
  CHECK(known.status == 200);
}

TEST_CASE("a bad submission is 400 with every problem, and nothing reaches ENTRY") {
  fixture f;
  auto job = sample_job();
  job["priority"] = -1;
  job["inputs"][0]["shape"] = {1, 3};
  auto reply = f.ask("POST", "/api/v1/jobs", job);
  CHECK(reply.status == 400);
  auto body = json::parse(reply.body);
  CHECK(body["code"] == "bad_input");
  CHECK(body["details"].size() == 2);
  for (std::string_view text : {"", "{", "[[[[[[[[", "\xff\xfe"}) {
    raw_client client{f.port};
    CHECK(client
            .ask(request_text("POST", "/api/v1/jobs", text,
                              text.empty() ? "Content-Length: 0\r\n" : ""))
            .status
          == 400);
  }
  job = sample_job();
  job["command"] = "ls";
  reply = f.ask("POST", "/api/v1/jobs", job);
  CHECK(reply.status == 400);
  CHECK(json::parse(reply.body)["code"] == "unsupported");
  CHECK(f.ask("POST", "/api/v1/jobs", sample_job(),
              "Idempotency-Key: " + std::string(300, 'k') + "\r\n")
          .status
        == 400);
  CHECK(f.script->submissions().empty());
}

TEST_CASE("a failure of the actors has its HTTP status") {
  fixture f;
  for (auto [code, status] :
       {std::pair{error_code::overloaded, 503}, std::pair{error_code::conflict, 409},
        std::pair{error_code::model_not_found, 404}, std::pair{error_code::store_full, 507}}) {
    f.script->submit_failure = {code, "because", {"detail"}};
    auto reply = f.ask("POST", "/api/v1/jobs", sample_job());
    CHECK(reply.status == status);
    CHECK(json::parse(reply.body)["details"] == json{"detail"});
    CHECK(reply.headers.contains("retry-after") == (status == 503));
  }
}

TEST_CASE("a job is read by its id or a prefix of it, and an unknown one is 404") {
  fixture f;
  f.put_job(actors::job_state::running);
  CHECK(f.get("/api/v1/jobs/" + job_id)["status"] == "running");
  CHECK(f.get("/api/v1/jobs/0190a")["id"] == job_id);
  f.get("/api/v1/jobs/ffff", 404);
  f.get("/api/v1/jobs/" + std::string(100, 'f'), 404);
}

TEST_CASE("reading with wait_ms answers at the job's end") {
  fixture f;
  f.put_job(actors::job_state::running);
  raw_client waiting{f.port};
  REQUIRE(waiting.send(request_text("GET", "/api/v1/jobs/0190a?wait_ms=20000")));
  f.script->wait_awaited();
  auto cancelled = f.ask("DELETE", "/api/v1/jobs/" + job_id);
  CHECK(cancelled.status == 200);
  auto reply = waiting.read();
  CHECK(reply->status == 200);
  CHECK(json::parse(reply->body)["status"] == "completed");
  CHECK(f.ask("DELETE", "/api/v1/jobs/" + job_id).status == 409);
  f.get("/api/v1/jobs/" + job_id + "?wait_ms=60001", 400);
  f.get("/api/v1/jobs/" + job_id + "?wait_ms=-1", 400);
  f.get("/api/v1/jobs/" + job_id + "?wait=1", 400);
}

TEST_CASE("jobs are listed without results, and wrong filters are refused") {
  fixture f;
  f.put_job(actors::job_state::completed);
  auto page = f.get("/api/v1/jobs?limit=10&status=completed&pattern=single");
  CHECK(page["jobs"].size() == 1);
  CHECK(page["next_cursor"] == "more");
  f.get("/api/v1/jobs?limit=0", 400);
  f.get("/api/v1/jobs?limit=1001", 400);
  f.get("/api/v1/jobs?status=done", 400);
  f.get("/api/v1/jobs?colour=red", 400);
}

TEST_CASE("detached outputs are fetched chunk by chunk before the job is shown") {
  fixture f;
  std::vector<char> data((2 << 20) + 12);
  for (std::size_t i = 0; i < data.size(); ++i)
    data[i] = static_cast<char>(i % 251);
  auto count = static_cast<std::int64_t>(data.size());
  auto output = models::make_tensor("y", models::datatype::uint8, {count}, data);
  actors::job_result result;
  result.outputs = {models::detached(output)};
  f.put_job(actors::job_state::completed, result);
  f.get("/api/v1/jobs/" + job_id, 404);
  f.script->put_blob(output.digest, output.data);
  auto shown = f.get("/api/v1/jobs/" + job_id)["result"]["outputs"][0];
  REQUIRE(shown["data"].size() == data.size());
  CHECK(shown["data"][250] == 250);
  CHECK(shown["data"].back() == static_cast<unsigned char>(data.back()));

  data[5] = 99;
  f.script->put_blob(output.digest, runtime::bytes{data});
  CHECK(f.get("/api/v1/jobs/" + job_id, 500)["code"] == "store_corrupt");
}

TEST_CASE("a result beyond the limit of one answer stays detached") {
  config::options options;
  options.gateway.body_bytes_max = 1'000;
  fixture f{options};
  auto output =
    models::make_tensor("y", models::datatype::uint8, {2'000}, std::vector<char>(2'000));
  actors::job_result result;
  result.outputs = {models::detached(output)};
  f.put_job(actors::job_state::completed, result);
  auto shown = f.get("/api/v1/jobs/" + job_id)["result"]["outputs"][0];
  CHECK(shown["data"].is_null());
  CHECK(shown["digest"] == output.digest);
}

TEST_CASE("executions, placement and history of a job are shown") {
  fixture f;
  f.put_job(actors::job_state::completed);
  actors::execution_record execution;
  execution.id = "e1";
  execution.job_id = job_id;
  execution.result_digest = std::string(64, 'a');
  execution.placement.push_back({"n1", "node-1", true, "", 1.0, 0.5, 1.25, 0.625});
  execution.placement.push_back({"n2", "node-2", false, "is full", 0.0, 0.0, 0.0, 0.0});
  f.script->executions.executions = {execution};
  f.script->events.events = {
    {7, "dim.jobs.updates", "job_submitted", job_id, "", "", 1'000, R"({"a":1})"},
    {8, "dim.jobs.updates", "job_completed", job_id, "", "", 2'000, "{broken"}};
  auto shown = f.get("/api/v1/jobs/0190/executions")["executions"][0];
  for (auto member : {"id", "job_id", "node_id", "status", "started_at", "completed_at", "result",
                      "result_hash", "error_message", "logs"})
    CHECK(shown.contains(member));
  CHECK(shown["status"] == "scheduled");
  auto placement = f.get("/api/v1/jobs/" + job_id + "/placement")["placements"][0];
  CHECK(placement["execution_id"] == "e1");
  CHECK(placement["candidates"][0]["score"] == 0.625);
  CHECK(placement["candidates"][1]["refusal"] == "is full");
  auto events = f.get("/api/v1/jobs/" + job_id + "/history")["events"];
  CHECK(events[0]["detail"]["a"] == 1);
  CHECK(events[0]["at"] == "1970-01-01T00:00:01.000Z");
  CHECK(events[1]["detail"] == "{broken");
}

TEST_CASE("nodes and totals are shown with every member of the interface") {
  fixture f;
  actors::node_record node;
  node.facts.id = "n1";
  node.facts.memory_bytes = 8ull << 30;
  node.facts.devices.push_back({"cuda:0", "cuda", "H100", 0, 80ull << 30, 1});
  node.state = actors::node_state::busy;
  f.script->nodes.nodes = {node};
  auto shown = f.get("/api/v1/nodes")["nodes"][0];
  for (auto member :
       {"id", "name", "region", "cpu_cores", "memory_gb", "gpu_enabled", "gpu_model", "status",
        "reputation_score", "total_jobs_run", "successful_jobs_run", "failed_jobs",
        "credits_earned", "last_heartbeat", "registered_at", "current_job_id"})
    CHECK(shown.contains(member));
  CHECK(shown["status"] == "busy");
  CHECK(shown["memory_gb"] == 8);
  CHECK(shown["gpu_model"] == "H100");
  CHECK(shown["reputation_score"] == 100.0);
  CHECK(shown["region"].is_null());
  CHECK(f.get("/api/v1/nodes/n1") == shown);
  f.script->nodes.nodes.clear();
  f.get("/api/v1/nodes/n1", 404);

  f.script->status.jobs_by_state = {1, 2, 3, 4, 5, 6};
  f.script->status.nodes_online = 2;
  auto stats = f.get("/stats");
  CHECK(stats["jobs"]["completed"] == 4);
  CHECK(stats["jobs"]["total"] == 21);
  CHECK(stats["nodes"]["total"] == 2);
  CHECK(f.get("/api/v1/status") == stats);
}

TEST_CASE("health tells life from readiness, and why it is not ready") {
  fixture f;
  f.script->status.nodes_online = 1;
  CHECK(f.get("/health/live")["live"] == true);
  CHECK(f.get("/health/ready")["ready"] == true);
  CHECK(f.get("/health")["status"] == "ok");
  f.script->status.nodes_online = 0;
  CHECK(f.get("/health")["status"] == "degraded");
  f.script->status.read_only = true;
  f.script->status.store_health = runtime::error_code::store_full;
  CHECK(f.get("/health/ready", 503)["reasons"][0] == "the store is read-only: store_full");
  CHECK(f.get("/stats")["read_only_reason"] == "store_full");
  f.entry.clear();
  CHECK(f.get("/health/live")["live"] == true);
  CHECK(f.get("/health/ready", 503)["ready"] == false);
  CHECK(f.get("/health")["status"] == "unavailable");
  CHECK(f.ask("POST", "/api/v1/jobs", sample_job()).status == 503);
}

TEST_CASE("a node is quarantined, released, drained and undrained by its routes") {
  gateway_fixture f;
  actors::node_record node;
  node.facts.id = "n1";
  f.script->nodes.nodes = {node};
  auto drained = f.ask("POST", "/api/v1/nodes/n1/drain");
  CHECK(drained.status == 200);
  CHECK(json::parse(drained.body)["drain_wanted"] == true);
  auto quarantined = json::parse(f.ask("POST", "/api/v1/nodes/n1/quarantine").body);
  CHECK(quarantined["quarantine"]["active"] == true);
  CHECK(quarantined["quarantine"]["failures_in_a_row"] == 0);
  CHECK(f.ask("POST", "/api/v1/nodes/n1/release").status == 200);
  CHECK(f.ask("POST", "/api/v1/nodes/n1/undrain").status == 200);
  CHECK(f.ask("GET", "/api/v1/nodes/n1/drain").status == 405);
  f.script->nodes.nodes.clear();
  CHECK(f.ask("POST", "/api/v1/nodes/n1/drain").status == 404);
}

TEST_CASE("a backup begins with 202, and its failure is told to who asks later") {
  gateway_fixture f;
  auto begun = f.ask("POST", "/api/v1/backup", {{"folder", "/tmp/copy"}});
  CHECK(begun.status == 202);
  CHECK(json::parse(begun.body)["state"] == "running");
  CHECK(json::parse(begun.body)["folder"] == "/tmp/copy");
  CHECK(f.ask("POST", "/api/v1/backup", json::object()).status == 400);
  CHECK(f.get("/api/v1/backup")["code"] == "store_full");
}

TEST_CASE("placement is paused and resumed, and a wrong body refused") {
  fixture f;
  auto reply = f.ask("POST", "/api/v1/placement", {{"paused", true}});
  CHECK(reply.status == 200);
  CHECK(json::parse(reply.body)["paused"] == true);
  CHECK(f.ask("POST", "/api/v1/placement", {{"paused", 1}}).status == 400);
  CHECK(f.ask("POST", "/api/v1/placement", json::object()).status == 400);
  CHECK(f.ask("POST", "/api/v1/placement", {{"paused", true}, {"x", 1}}).status == 400);
}

TEST_CASE("stopping answers those who still wait for the actors as unavailable") {
  fixture f;
  f.put_job(actors::job_state::running);
  raw_client waiting{f.port};
  REQUIRE(waiting.send(request_text("GET", "/api/v1/jobs/" + job_id + "?wait_ms=60000")));
  f.script->wait_awaited();
  CHECK(!f.http.drain(std::chrono::steady_clock::now() + 50ms));
  f.http.stop();
  auto reply = waiting.read();
  REQUIRE(reply);
  CHECK(reply->status == 503);
}

}  // namespace
