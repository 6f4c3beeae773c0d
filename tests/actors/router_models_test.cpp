// ROUTER: how versions come into service, and go.
#include "runtime/actor_base.hpp"
#include "tests/actors/router_fixture.hpp"

using namespace dim;
using namespace dim::tests;

TEST_CASE("a version is prepared when some node serves it, and fails when none can") {
  router_fixture f;
  f.start();
  CHECK_FALSE(f.ask<model_prepared>(f.router, prepare_model{f.entry("m", "3"), 1'000}));
  auto& node = f.add_node("a");
  auto reply = f.ask<model_prepared>(f.router, prepare_model{f.entry("m", "3"), 1'000});
  REQUIRE(reply.has_value());
  CHECK(reply->node_id == "a");
  node.starts_agents = false;
  auto refused = f.ask<model_prepared>(f.router, prepare_model{f.entry("m", "4"), 1'000});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == error_code::memory_limit);
}

TEST_CASE("a version whose agents may have been idle for too long is prepared anew") {
  router_fixture f;
  f.start();
  auto& node = f.add_node("a");
  REQUIRE(f.ask<model_prepared>(f.router, prepare_model{f.entry("m", "3"), 1'000}));
  REQUIRE(f.ask<model_prepared>(f.router, prepare_model{f.entry("m", "3"), 1'000}));
  CHECK(node.agents.size() == 2);
  node.starts_agents = false;
  CHECK_FALSE(f.ask<model_prepared>(f.router, prepare_model{f.entry("m", "3"), 1'000}));
}

TEST_CASE("a version that no node could prepare is forgotten") {
  router_fixture f;
  f.start();
  auto routes = [&f] {
    auto reply = f.ask<runtime::actor_description>(caf::actor_cast<caf::actor>(f.router),
                                                   runtime::describe_actor{});
    REQUIRE(reply);
    return reply->state;
  };
  auto before = routes();
  for (auto* version : {"3", "4", "5"})
    CHECK_FALSE(f.ask<model_prepared>(f.router, prepare_model{f.entry("m", version), 1'000}));
  ++f.catalogue.revision;
  f.send(f.router, f.catalogue);
  CHECK(routes() == before);
}

TEST_CASE("a node that is lost before ROUTER has heard of it is none of its nodes") {
  router_fixture f;
  f.start();
  f.lose("a");
  CHECK(f.ask<model_retired>(f.router, retire_model{"m", "2", "m2", 0, 5'000}));
  f.add_node("a");
  CHECK(f.infer(f.request_of("r1")).error.code == error_code::none);
}

TEST_CASE("a version is retired when its last request has ended, and its agents are stopped") {
  router_fixture f;
  f.start();
  auto& node = f.add_node("a");
  node.holds = true;
  f.begin(f.request_of("r1"));
  auto retired = f.request<model_retired>(f.router, retire_model{"m", "2", "m2", 0, 5'000});
  f.advance(100);
  CHECK_FALSE(retired->has_value());
  f.answer("a");
  f.advance(100);
  REQUIRE(retired->has_value());
  CHECK((**retired)->left == 0);
  REQUIRE_FALSE(node.agents.empty());
  CHECK_FALSE(node.agents.back().wanted);
}

TEST_CASE("a version that is replaced while nobody asks for it is let go on its nodes as well") {
  router_fixture f;
  f.start();
  auto& node = f.add_node("a");
  f.infer(f.request_of("r1"));
  node.agents.clear();
  auto newer = f.catalogue;
  ++newer.revision;
  newer.versions.back().model.digest = "another file";
  f.send(f.router, newer);
  auto retired = f.ask<model_retired>(f.router, retire_model{"m", "2", "m2", 0, 5'000});
  CHECK(retired.has_value());
  REQUIRE(node.agents.size() == 1);
  CHECK_FALSE(node.agents.front().wanted);
  CHECK(node.agents.front().model_digest == "m2");
}

TEST_CASE("a version that is served no longer keeps its statistics") {
  router_fixture f;
  f.start();
  f.add_node("a");
  f.infer(f.request_of("r1"));
  f.catalogue.versions.back().state = serving_state::unavailable;
  ++f.catalogue.revision;
  f.send(f.router, f.catalogue);
  CHECK(f.statistics("2").success.count == 1);
  CHECK_FALSE(f.ask<model_statistics_list>(f.router, get_model_statistics{"m", "9"}));
}

TEST_CASE("a wanted output that the model has not given is told as its fault") {
  router_fixture f;
  auto wide = f.entry("m", "2");
  wide.spec.outputs.push_back({"late", models::datatype::fp32, {2}, {}});
  f.catalogue.versions.back().model = wide;
  f.start();
  f.add_node("a");
  auto request = f.request_of("r1");
  request.outputs = {"y", "late"};
  auto done = f.infer(request);
  CHECK(done.error.code == error_code::bad_model);
  CHECK(done.error.message == "the model 'm' gave no output 'late'");
  CHECK(f.statistics("2").fail.count == 1);
}
