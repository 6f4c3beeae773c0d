// What clients see while actors hang.
#include <chrono>
#include <thread>

#include <doctest/doctest.h>

#include "runtime/stuck_watch.hpp"
#include "tests/gateway/gateway_fixture.hpp"
#include "tests/support/held_actor.hpp"

namespace {

using namespace dim;
using namespace dim::tests;
using namespace std::chrono_literals;

/// Asks again and again, as a load balancer does, until the status is `wanted`. Returns the last
/// answer.
raw_reply ask_until(gateway_fixture& f, std::string_view target, int wanted) {
  auto deadline = std::chrono::steady_clock::now() + 20s;
  auto reply = f.ask("GET", target);
  while (reply.status != wanted && std::chrono::steady_clock::now() < deadline)
    reply = f.ask("GET", target);
  CAPTURE(reply.body);
  CHECK(reply.status == wanted);
  return reply;
}

/// An ENTRY behind which everybody hangs: it takes everything and answers nothing.
caf::behavior silent_entry(caf::event_based_actor* self) {
  self->set_default_handler(caf::skip);
  return {[](release_blocks) {}};
}

TEST_CASE("a gateway is not ready while an actor of its process is stuck, and names the actor") {
  gateway_fixture f;
  f.configuration.context->stuck_limit = 200ms;
  f.script->status.nodes_online = 1;
  held_actor held{f.system};
  CHECK(f.get("/health/ready")["ready"] == true);
  held.hold();
  auto reply = ask_until(f, "/health/ready", 503);
  std::string reason = json::parse(reply.body)["reasons"][0];
  CHECK(reason.starts_with("stuck: HELD has handled "));
  f.get("/v2/health/ready", 503);
  CHECK(f.get("/health")["status"] == "unavailable");
  CHECK(f.get("/health/live")["live"] == true);
  // Whoever does not need that actor is served.
  f.put_job(actors::job_state::running);
  CHECK(f.get("/api/v1/jobs/" + job_id)["status"] == "running");
  held.release();
  ask_until(f, "/health/ready", 200);
  CHECK(f.get("/health")["status"] == "ok");
}

TEST_CASE("when every thread of the actors hangs, readiness says so, and questions end at 504") {
  config::options options;
  options.gateway.request_timeout_ms = 100;
  gateway_fixture f{options};
  f.configuration.context->stuck_limit = 200ms;
  held_actor one{f.system};
  held_actor two{f.system};
  one.hold();
  two.hold();
  auto deadline = std::chrono::steady_clock::now() + 20s;
  while (runtime::stuck_now(f.system).size() < 2 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  CHECK(f.get("/health/ready", 503)["reasons"].size() == 2);
  CHECK(f.get("/health/live")["live"] == true);
  auto silent = f.system.spawn(silent_entry);
  auto scripted = f.entry.get();
  f.entry.set(silent);
  CHECK(f.get("/api/v1/jobs/" + job_id, 504)["code"] == "timeout");
  f.entry.set(scripted);
  caf::anon_send_exit(silent, caf::exit_reason::kill);
  one.release();
  two.release();
  ask_until(f, "/health/ready", 200);
}

TEST_CASE("a gateway is not ready while an actor of the orchestrator's process is stuck") {
  gateway_fixture f;
  f.script->stuck.actors = {{"STORE", "commit_changes", 14'200, 3}};
  CHECK(f.get("/health/ready", 503)["reasons"]
        == json{"stuck: STORE has handled commit_changes for 14 s, 3 messages wait"});
  f.script->stuck.actors.clear();
  CHECK(f.get("/health/ready")["ready"] == true);
}

TEST_CASE("who waits for an actor that hangs is answered 504 at the gateway's deadline") {
  config::options options;
  options.gateway.request_timeout_ms = 100;
  gateway_fixture f{options};
  auto silent = f.system.spawn(silent_entry);
  auto scripted = f.entry.get();
  f.entry.set(silent);
  json tensor = {{"name", "x"}, {"datatype", "FP32"}, {"shape", {1}}, {"data", {0.5}}};
  json job = {{"model", "digits"}, {"inputs", json::array({tensor})}};
  auto reply = f.ask("POST", "/api/v1/jobs", job, "Idempotency-Key: again\r\n");
  CHECK(reply.status == 504);
  CHECK(json::parse(reply.body)["code"] == "timeout");
  for (auto* target : {"/api/v1/jobs", "/api/v1/nodes", "/api/v1/models", "/api/v1/events"})
    CHECK(f.get(target, 504)["code"] == "timeout");
  CHECK(f.get("/api/v1/jobs/" + job_id, 504)["code"] == "timeout");
  CHECK(f.get("/api/v1/jobs/" + job_id + "?wait_ms=50", 504)["code"] == "timeout");
  CHECK(f.ask("DELETE", "/api/v1/jobs/" + job_id).status == 504);
  CHECK(f.get("/health/ready", 503)["ready"] == false);
  f.entry.set(scripted);
  CHECK(f.ask("POST", "/api/v1/jobs", job, "Idempotency-Key: again\r\n").status == 202);
  caf::anon_send_exit(silent, caf::exit_reason::kill);
}

}  // namespace
