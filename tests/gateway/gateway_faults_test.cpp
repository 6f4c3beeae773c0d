#include <doctest/doctest.h>

#include "tests/gateway/gateway_fixture.hpp"

namespace {

using namespace dim;
using namespace dim::tests;
using fixture = gateway_fixture;

json sample_fault() {
  return {{"action", "delay"},     {"target", "node/*"},   {"messages", {"chunk", "infer"}},
          {"lasts_ms", 5'000},     {"probability", 0.25},  {"delay_min_ms", 10},
          {"delay_max_ms", 200},   {"seed", 77}};
}

actors::event sample_event(std::uint64_t number) {
  actors::event result;
  result.number = number;
  result.topic = actors::topic_jobs;
  result.kind = "job_completed";
  result.job_id = job_id;
  result.detail = R"({"points":5})";
  return result;
}

TEST_CASE("a fault goes to FAULTS with all its members, and is answered 201 with whom it struck") {
  fixture f;
  auto reply = f.ask("POST", "/api/v1/faults", sample_fault());
  CHECK(reply.status == 201);
  CHECK(json::parse(reply.body) == json{{"id", "fault-1"}, {"struck", {"node/a"}}});
  auto sent = f.script->last_fault();
  CHECK(sent.kind == actors::fault_kind::delay);
  CHECK(sent.target == "node/*");
  CHECK(sent.messages == std::vector<std::string>{"chunk", "infer"});
  CHECK(sent.lasts_ms == 5'000);
  CHECK(static_cast<double>(sent.probability) == 0.25);
  CHECK(sent.delay_min_ms == 10);
  CHECK(sent.delay_max_ms == 200);
  CHECK(sent.seed == 77);
}

TEST_CASE("a fault with problems is 400 with all of them, and nothing reaches FAULTS") {
  fixture f;
  auto fault = sample_fault();
  fault["action"] = "explode";
  fault["lasts_ms"] = -1;
  fault["who"] = "me";
  auto reply = f.ask("POST", "/api/v1/faults", fault);
  CHECK(reply.status == 400);
  CHECK(json::parse(reply.body)["details"].size() == 3);
  CHECK(f.ask("POST", "/api/v1/faults", json{{"target", "*"}}).status == 400);
  CHECK(f.script->last_fault().target.empty());
}

TEST_CASE("where faults are not enabled the answer is 403") {
  fixture f;
  f.script->are_faults_enabled = false;
  auto reply = f.ask("POST", "/api/v1/faults", sample_fault());
  CHECK(reply.status == 403);
  CHECK(json::parse(reply.body)["code"] == "forbidden");
}

TEST_CASE("processes and active faults are listed, and faults are ended by id or all at once") {
  fixture f;
  f.ask("POST", "/api/v1/faults", sample_fault());
  auto list = f.get("/api/v1/faults");
  CHECK(list["processes"][0]
        == json{{"names", {"node/a"}}, {"pid", 42}, {"agents", {"agent/m"}}});
  CHECK(list["faults"][0]["action"] == "delay");
  CHECK(list["faults"][0]["left_ms"] == 900);
  CHECK(list["faults"][0]["strikes"] == 7);
  CHECK(f.ask("DELETE", "/api/v1/faults").status == 200);
  CHECK(f.ask("DELETE", "/api/v1/faults/fault-1").status == 200);
  CHECK(f.ask("DELETE", "/api/v1/faults/unknown").status == 404);
}

TEST_CASE("the event log is read page by page, and the answer says where the next one begins") {
  fixture f;
  for (std::uint64_t number = 1; number <= 5; ++number)
    f.script->events.events.push_back(sample_event(number));
  auto page = f.get("/api/v1/events?limit=2");
  REQUIRE(page["events"].size() == 2);
  CHECK(page["events"][0]["number"] == 1);
  CHECK(page["events"][0]["detail"] == json{{"points", 5}});
  CHECK(page["next_after"] == 2);
  page = f.get("/api/v1/events?after=4");
  CHECK(page["events"].size() == 1);
  page = f.get("/api/v1/events?after=5");
  CHECK(page["events"].empty());
  CHECK(page["next_after"] == 5);
  CHECK(f.ask("GET", "/api/v1/events?limit=0").status == 400);
  CHECK(f.ask("GET", "/api/v1/events?from=1").status == 400);
}

}  // namespace
