#include <map>
#include <memory>

#include "tests/actors/node_fixture.hpp"

using namespace dim;
using namespace dim::tests;
using actors::agents_set;
using actors::infer_results;
using actors::run_direct;
using runtime::error_code;

namespace {

/// The requests are numbered 1, 2, ...
run_direct directs_of(const std::vector<std::string>& ids) {
  run_direct order{"pairs", "1", std::string(64, 'd'), 0, {}};
  for (auto& id : ids)
    order.requests.push_back({order.requests.size() + 1, id, pairs(), 0, 0, 60'000});
  return order;
}

run_direct direct_of(const std::string& id) {
  return directs_of({id});
}

const infer_results& answers_of(const pending_reply<infer_results>& reply) {
  REQUIRE(reply->has_value());
  REQUIRE((*reply)->has_value());
  return ***reply;
}

error_code code_of(const pending_reply<infer_results>& reply) {
  REQUIRE(answers_of(reply).answers.size() == 1);
  return answers_of(reply).answers[0].result.error.code;
}

}  // namespace

TEST_CASE("a direct request goes to a device, reserves nothing, and comes back with its answer") {
  node_fixture f;
  f.device->echoes = true;
  f.start();
  auto reply = f.ask<infer_results>(f.node, direct_of("r1"));
  REQUIRE(reply.has_value());
  REQUIRE(reply->answers.size() == 1);
  CHECK(reply->answers[0].number == 1);
  CHECK(reply->answers[0].result.error.code == error_code::none);
  CHECK(reply->answers[0].result.outputs.size() == 1);
  CHECK(f.device->runs_total == 1);
  CHECK(f.orchestrator->finished.empty());
}

TEST_CASE("more direct requests than slots are at their device at once: AGENT batches them") {
  node_fixture f;
  f.start();
  for (auto* id : {"r1", "r2", "r3"}) {
    f.request<infer_results>(f.node, direct_of(id));
    f.run();
  }
  CHECK(f.device->groups.size() == 3);
}

TEST_CASE("a model with workers on several devices has its requests where most workers are idle") {
  node_fixture f;
  f.arguments.options.queue_max = 10;
  f.cache->spec.instances = {{2, models::instance_kind::gpu, {0}},
                             {1, models::instance_kind::cpu, {}}};
  std::map<std::string, std::shared_ptr<device_script>> gpus;
  for (auto* name : {"cuda:0", "cuda:1"}) {
    gpus[name] = std::make_shared<device_script>();
    f.arguments.facts.devices.push_back({name, "cuda", "", 80, 4'000'000'000, 2});
    f.arguments.devices[name].set(f.sys().spawn(fake_device, gpus[name]));
  }
  f.start();
  for (auto* id : {"r1", "r2", "r3", "r4", "r5", "r6"}) {
    f.request<infer_results>(f.node, direct_of(id));
    f.run();
  }
  CHECK(f.device->groups.size() == 2);
  CHECK(gpus["cuda:0"]->groups.size() == 4);
  CHECK(gpus["cuda:1"]->groups.empty());
}

TEST_CASE("a model that may run anywhere has its requests on GPUs, where the node has some") {
  node_fixture f;
  auto gpu = std::make_shared<device_script>();
  f.arguments.facts.devices.push_back({"cuda:0", "cuda", "", 80, 4'000'000'000, 2});
  f.arguments.devices["cuda:0"].set(f.sys().spawn(fake_device, gpu));
  f.start();
  f.request<infer_results>(f.node, direct_of("r1"));
  f.run();
  CHECK(f.device->groups.empty());
  CHECK(gpu->groups.size() == 1);
}

TEST_CASE("direct requests and executions together are bounded by the node's queue") {
  node_fixture f;
  f.start();
  for (auto* id : {"r1", "r2", "r3", "r4"}) {
    f.request<infer_results>(f.node, direct_of(id));
    f.run();
  }
  auto refused = f.request<infer_results>(f.node, direct_of("r5"));
  f.run();
  CHECK(code_of(refused) == error_code::overloaded);
  f.send(f.node, f.order_of("e1"));
  CHECK(f.last_finished().error.code == error_code::overloaded);
  f.finish_run();
  auto taken = f.request<infer_results>(f.node, direct_of("r6"));
  f.run();
  CHECK_FALSE(taken->has_value());
}

TEST_CASE("a draining node, and one that gets a request too late, refuse it") {
  node_fixture f;
  f.start();
  auto late = direct_of("r1");
  late.requests[0].time_left_ms = 0;
  auto reply = f.request<infer_results>(f.node, late);
  f.run();
  CHECK(code_of(reply) == error_code::expired);
  f.send(f.node, actors::set_draining{true, 1'000});
  auto draining = f.request<infer_results>(f.node, direct_of("r2"));
  f.run();
  CHECK(code_of(draining) == error_code::unavailable);
}

TEST_CASE("requests that come together go to their device together, and are answered together") {
  node_fixture f;
  f.start();
  auto reply = f.request<infer_results>(f.node, directs_of({"r1", "r2", "r3"}));
  f.run();
  REQUIRE(f.device->groups.size() == 1);
  CHECK(f.device->groups[0].order.group.requests.size() == 3);
  f.finish_run();
  REQUIRE(answers_of(reply).answers.size() == 3);
  CHECK(answers_of(reply).answers[2].number == 3);
}

TEST_CASE("of requests that come together those that can not be run are refused at once") {
  node_fixture f;
  f.start();
  auto told = std::make_shared<infer_results>();
  auto asker = f.sys().spawn([&f, told](caf::event_based_actor* self) -> caf::behavior {
    auto order = directs_of({"r1", "r2", "r3", "r4", "r5", "r6"});
    order.requests[1].time_left_ms = 0;
    auto note = [told](const infer_results& news) {
      told->answers.insert(told->answers.end(), news.answers.begin(), news.answers.end());
    };
    self->request(f.node, caf::infinite, order).then(note);
    return {note};
  });
  f.run();
  REQUIRE(told->answers.size() == 2);
  CHECK(told->answers[0].number == 2);
  CHECK(told->answers[0].result.error.code == error_code::expired);
  CHECK(told->answers[1].number == 6);
  CHECK(told->answers[1].result.error.code == error_code::overloaded);
  f.finish_run();
  CHECK(told->answers.size() == 6);
}

TEST_CASE("requests that wait for their model lose the time of the wait") {
  node_fixture f;
  f.start();
  f.cache->holds = true;
  auto reply = f.request<infer_results>(f.node, directs_of({"r1", "r2"}));
  f.advance(1'500);
  CHECK(f.device->groups.empty());
  f.send(f.node, actors::withdraw_direct{"r2"});
  f.send(f.cache_handle, caf::tick_atom_v);
  REQUIRE(f.device->groups.size() == 1);
  auto& requests = f.device->groups[0].order.group.requests;
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].request.time_left_ms == 58'500);
  CHECK(requests[1].request.time_left_ms == 0);
}

TEST_CASE("direct requests that wait for their model are bounded by the node's queue as well") {
  node_fixture f;
  f.start();
  f.cache->holds = true;
  auto waiting = f.request<infer_results>(f.node, directs_of({"r1", "r2", "r3", "r4"}));
  f.run();
  CHECK_FALSE(waiting->has_value());
  auto refused = f.request<infer_results>(f.node, direct_of("r5"));
  f.run();
  CHECK(code_of(refused) == error_code::overloaded);
  f.send(f.cache_handle, caf::tick_atom_v);
  f.finish_run();
  CHECK(answers_of(waiting).answers.size() == 4);
}

TEST_CASE("requests that wait for their model and that nobody wants any more go nowhere") {
  node_fixture f;
  f.start();
  f.cache->holds = true;
  auto reply = f.request<infer_results>(f.node, directs_of({"r1", "r2"}));
  f.run();
  f.send(f.node, actors::withdraw_direct{"r1"});
  CHECK_FALSE(reply->has_value());
  f.send(f.node, actors::withdraw_direct{"r2"});
  REQUIRE(answers_of(reply).answers.size() == 2);
  CHECK(answers_of(reply).answers[0].result.error.code == error_code::cancelled);
  f.send(f.cache_handle, caf::tick_atom_v);
  CHECK(f.device->groups.empty());
}

TEST_CASE("a withdrawn request is taken back from the devices that have some") {
  node_fixture f;
  f.start();
  f.request<infer_results>(f.node, direct_of("r1"));
  f.run();
  f.send(f.node, actors::withdraw_direct{"r1"});
  REQUIRE(f.device->withdrawn.size() == 1);
  CHECK(f.device->withdrawn[0].request_id == "r1");
}

TEST_CASE("agents are started and stopped when ROUTER says so") {
  node_fixture f;
  f.start();
  actors::set_agents wish{"pairs", "1", std::string(64, 'd'), 0, true, 5'000};
  auto started = f.ask<agents_set>(f.node, wish);
  REQUIRE(started.has_value());
  CHECK(started->device == "cpu:0");
  wish.wanted = false;
  REQUIRE(f.ask<agents_set>(f.node, wish).has_value());
  REQUIRE(f.device->served.size() == 2);
  CHECK(f.device->served[0].wanted);
  CHECK_FALSE(f.device->served[1].wanted);
}

TEST_CASE("an agent that nobody waits for is started only while there are no direct requests") {
  node_fixture f;
  f.start();
  f.request<infer_results>(f.node, direct_of("r1"));
  f.run();
  actors::set_agents wish{"pairs", "1", std::string(64, 'd'), 0, true, 5'000, true};
  auto refused = f.ask<agents_set>(f.node, wish);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == error_code::overloaded);
  CHECK(f.device->served.empty());
  wish.only_spare = false;
  CHECK(f.ask<agents_set>(f.node, wish).has_value());
}

TEST_CASE("a wish for what is spare reaches the device as such") {
  node_fixture f;
  f.start();
  actors::set_agents wish{"pairs", "1", std::string(64, 'd'), 0, true, 5'000, true};
  REQUIRE(f.ask<agents_set>(f.node, wish).has_value());
  REQUIRE(f.device->served.size() == 1);
  CHECK(f.device->served[0].only_spare);
}

TEST_CASE("an agent that waits for its model's file is not started once it is not wanted") {
  node_fixture f;
  f.start();
  f.cache->holds = true;
  actors::set_agents wish{"pairs", "1", std::string(64, 'd'), 0, true, 5'000};
  auto started = f.request<agents_set>(f.node, wish);
  auto waiting = f.request<infer_results>(f.node, direct_of("r1"));
  f.run();
  wish.wanted = false;
  CHECK(f.ask<agents_set>(f.node, wish).has_value());
  REQUIRE(started->has_value());
  REQUIRE_FALSE((*started)->has_value());
  CHECK((**started).error().code == error_code::cancelled);
  f.send(f.cache_handle, caf::tick_atom_v);
  CHECK(f.device->served.empty());
  f.finish_run();
  CHECK(code_of(waiting) == error_code::none);
}

namespace {

/// Starts the node and asks a model of it; what stops that model's agents.
actors::set_agents use_once(node_fixture& f) {
  f.start();
  f.device->echoes = true;
  REQUIRE(f.ask<infer_results>(f.node, direct_of("r1")).has_value());
  return {"pairs", "1", std::string(64, 'd'), 0, false, 5'000};
}

}  // namespace

TEST_CASE("a model that is stopped gives its place in the cache back at once") {
  node_fixture f;
  auto wish = use_once(f);
  REQUIRE(f.ask<agents_set>(f.node, wish).has_value());
  CHECK(f.cache->released == std::vector<std::string>{std::string(64, 'd')});
}

TEST_CASE("a model that is used again before its agents have ended keeps its place in the cache") {
  node_fixture f;
  auto wish = use_once(f);
  auto stopped = f.request<agents_set>(f.node, wish);
  wish.wanted = true;
  auto started = f.request<agents_set>(f.node, wish);
  f.run();
  REQUIRE(stopped->has_value());
  REQUIRE(started->has_value());
  CHECK(f.device->served.size() == 2);
  CHECK(f.cache->released.empty());
}
