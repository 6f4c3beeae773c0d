#include "models/triton_config.hpp"
#include "tests/actors/device_fixture.hpp"

using namespace dim;
using namespace dim::actors;
using runtime::error_code;
using tests::code_of;
using tests::device_fixture;
using tests::infer_of;
using tests::mib;

TEST_CASE("each model gets one agent, pinned to the device's cores, and the node is told") {
  device_fixture f;
  f.start();
  auto a = device_fixture::model("a");
  auto b = device_fixture::model("b");
  CHECK(code_of(f.ask_for(a, infer_of("1"))) == error_code::none);
  CHECK(code_of(f.ask_for(a, infer_of("2"))) == error_code::none);
  CHECK(f.count_actors("AGENT") == 1);
  // The same file under another name is another model: its spec may differ.
  CHECK(code_of(f.ask_for(b, infer_of("3"))) == error_code::none);
  CHECK(f.count_actors("AGENT") == 2);
  REQUIRE(f.script->orders.size() == 2);
  CHECK(f.script->orders[0].label == "a:1");
  CHECK(f.script->orders[0].cores == std::vector<std::uint32_t>{0, 1});
  CHECK(f.script->loads[0].threads == 2);
  CHECK(f.agents_told() == std::vector<std::string>{a.key(), b.key()});
}

TEST_CASE("an agent without work is stopped, and a later request makes a new one") {
  device_fixture f;
  f.start();
  auto a = device_fixture::model("a");
  f.ask_for(a, infer_of("1"));
  f.advance(70'000);
  CHECK(f.count_actors("AGENT") == 0);
  CHECK(f.agents_told().empty());
  CHECK(f.script->kills.size() == 1);
  CHECK(code_of(f.ask_for(a, infer_of("2"))) == error_code::none);
  CHECK(f.count_actors("AGENT") == 1);
}

TEST_CASE("the number of instances in a model's configuration is the number of its workers") {
  device_fixture f;
  f.start();
  auto a = device_fixture::model("a", 10 * mib);
  SUBCASE("config.toml") {
    auto spec = models::parse_model_spec(R"(
      name = "a"
      max_batch_size = 8
      inputs = [{ name = "x", datatype = "FP32", dims = [2] }]
      outputs = [{ name = "y", datatype = "FP32", dims = [2] }]
      [instances]
      count = 3
    )");
    REQUIRE(spec);
    a.spec = *spec;
  }
  SUBCASE("config.pbtxt") {
    auto read = models::parse_triton_text(R"(
      name: "a" platform: "pytorch_libtorch" max_batch_size: 8
      input { name: "x" data_type: TYPE_FP32 dims: 2 }
      output { name: "y" data_type: TYPE_FP32 dims: 2 }
      instance_group { count: 3 }
    )");
    REQUIRE(read);
    a.spec = read->spec;
  }
  CHECK(code_of(f.ask_for(a, infer_of("1"))) == error_code::none);
  CHECK(f.script->starts.size() == 3);
  REQUIRE(f.load_told().agents.size() == 1);
  CHECK(f.load_told().agents[0].workers == 3);
}

TEST_CASE("of several groups of instances, those count that are for this device") {
  device_fixture f;
  f.arguments.some_gpu = true;
  f.start();
  auto a = device_fixture::model("a", 10 * mib);
  a.spec.instances = {{4, models::instance_kind::automatic, {}},
                      {8, models::instance_kind::gpu, {}}};
  SUBCASE("two for processors") {
    a.spec.instances.push_back({2, models::instance_kind::cpu, {}});
    CHECK(code_of(f.ask_for(a, infer_of("1"))) == error_code::none);
    CHECK(f.script->starts.size() == 2);
    CHECK(f.load_told().memory_used_bytes == 20 * mib);
  }
  SUBCASE("none, but an execution of a job has been sent here") {
    CHECK(code_of(f.ask_for(a, infer_of("1"))) == error_code::none);
    CHECK(f.script->starts.size() == 1);
  }
}

TEST_CASE("a model that is loaded, asked and unloaded again and again leaves nothing behind") {
  device_fixture f;
  f.arguments.options.idle_ms = 300'000;
  f.arguments.options.timeout_ms = 120'000;
  f.start();
  auto a = device_fixture::model("a");
  std::vector<caf::weak_actor_ptr> agents;
  std::size_t timers_max = 0;
  for (int cycle = 0; cycle < 200; ++cycle) {
    a.revision = std::uint32_t(cycle);
    f.serve(a);
    CHECK(code_of(f.ask_for(a, infer_of("1"))) == error_code::none);
    agents.push_back(caf::actor_cast<caf::weak_actor_ptr>(f.script->listener));
    f.script->listener = nullptr;
    f.serve(a, false);
    f.advance(1'000);
    timers_max = std::max(timers_max, f.timers());
  }
  // A timer that has not fired keeps the actor that it is for.
  CHECK(timers_max < 30);
  f.advance(6'000);
  for (auto& agent : agents)
    CHECK(agent.lock() == nullptr);
}

TEST_CASE("the device tells how many models were loaded, and how long each took") {
  device_fixture f;
  f.start();
  f.script->answers_start = false;
  auto a = device_fixture::model("a");
  auto reply = f.ask_for(a, infer_of("1"));
  CHECK(f.load_told().agents == std::vector<agent_facts>{{"a", "1", 1, 0}});
  f.advance(2'500);
  f.send(f.script->listener, agent_ready{f.script->starts[0].token, 42,
                                         tests::fake_inference(f.sys(), f.script, 0)});
  CHECK(code_of(reply) == error_code::none);
  CHECK(f.load_told().agents == std::vector<agent_facts>{{"a", "1", 1, 2'500'000}});
  CHECK(f.load_told().loads == 1);
  CHECK(f.load_told().load_us == 2'500'000);
  f.serve(a, false);
  // What has been counted stays, when its agent goes.
  CHECK(f.load_told().agents.empty());
  CHECK(f.load_told().loads == 1);
  auto by_model = f.load_told().loads_by_model;
  REQUIRE(by_model.size() == 1);
  runtime::duration_histogram took;
  took.add(2'500'000);
  CHECK(by_model[0] == model_loads{"a", "1", took});
}

TEST_CASE("an agent that crashes answers its requests, and the next request makes a new one") {
  device_fixture f;
  f.start();
  f.script->echoes = false;
  auto running = f.ask_for(device_fixture::model("a"), infer_of("1"));
  f.kill(f.script->listener);
  CHECK(code_of(running) == error_code::agent_lost);
  CHECK(f.agents_told().empty());
  f.script->echoes = true;
  CHECK(code_of(f.ask_for(device_fixture::model("a"), infer_of("2"))) == error_code::none);
}

TEST_CASE("a withdrawn request is withdrawn in its agent") {
  device_fixture f;
  f.start();
  f.script->echoes = false;
  auto a = device_fixture::model("a");
  auto running = f.ask_for(a, infer_of("1"));
  auto waiting = f.ask_for(a, infer_of("2"));
  f.send(f.device, withdraw_on_device{a.key(), "2"});
  CHECK(code_of(waiting) == error_code::cancelled);
  CHECK_FALSE(running->has_value());
}

TEST_CASE("agents end with their device, and whoever waits is answered") {
  device_fixture f;
  f.start();
  f.script->echoes = false;
  auto running = f.ask_for(device_fixture::model("a", 900 * mib), infer_of("1"));
  auto waiting = f.ask_for(device_fixture::model("b", 900 * mib), infer_of("2"));
  f.kill(f.device);
  CHECK(code_of(running) == error_code::agent_lost);
  CHECK(code_of(waiting) == error_code::agent_lost);
  CHECK(f.count_actors("AGENT") == 0);
}
