// NODE's executions: from run_execution to execution_finished.
#include "tests/actors/node_fixture.hpp"

using namespace dim;
using namespace dim::actors;
using runtime::error_code;
using tests::node_fixture;

TEST_CASE("an execution runs on a device and its end is told once, with all that is known") {
  node_fixture f;
  f.start();
  auto order = node_fixture::order_of("a", 3);
  order.inputs = tests::pairs(2, 'q');
  order.deterministic = true;
  f.send(f.node, order);
  REQUIRE(f.device->runs.size() == 1);
  auto& run = f.device->runs[0].order;
  CHECK(run.model->path == "/cache/m.pt");
  CHECK(run.request.request_id == "a#3");
  CHECK(run.request.deterministic);
  CHECK(run.request.time_left_ms == 60'000);
  f.send(f.node, infer_started{"a#3"});
  f.send(f.node, infer_started{"a#3"});
  REQUIRE(f.orchestrator->started.size() == 1);
  CHECK(f.orchestrator->started[0].device == "cpu:0");
  CHECK(f.orchestrator->started[0].epoch == 3);
  f.finish_run();
  REQUIRE(f.orchestrator->finished.size() == 1);
  auto& news = f.last_finished();
  CHECK(news.node_id == "node-1");
  CHECK(news.incarnation == f.orchestrator->joins[0].incarnation);
  CHECK(news.execution_id == "a");
  CHECK(news.epoch == 3);
  CHECK(news.error.code == error_code::none);
  CHECK(news.rows == 2);
  CHECK(news.device == "cpu:0");
  CHECK(news.outputs[0].data.view() == std::string(16, 'q'));
}

TEST_CASE("what went wrong is told with its logs, and whether the input killed the agent") {
  node_fixture f;
  f.start();
  f.send(f.node, node_fixture::order_of("a"));
  f.device->next_answer.error = {error_code::agent_timeout, "too slow", {}};
  f.device->next_answer.logs = "too slow\nlast words";
  f.device->next_answer.killed_agent = true;
  f.finish_run();
  auto& news = f.last_finished();
  CHECK(news.error.code == error_code::agent_timeout);
  CHECK(news.logs == "too slow\nlast words");
  CHECK(news.killed_agent);
  CHECK(news.rows == 0);
}

TEST_CASE("the same epoch is run once, and its known result is sent again") {
  node_fixture f;
  f.start();
  f.send(f.node, node_fixture::order_of("a"));
  f.send(f.node, node_fixture::order_of("a"));
  CHECK(f.device->runs_total == 1);
  f.finish_run();
  f.send(f.node, node_fixture::order_of("a"));
  CHECK(f.device->runs_total == 1);
  CHECK(f.orchestrator->finished.size() == 2);
}

TEST_CASE("a newer epoch withdraws the older, whose answer is told to nobody") {
  node_fixture f;
  f.start();
  f.send(f.node, node_fixture::order_of("a", 1));
  f.send(f.node, node_fixture::order_of("a", 2));
  REQUIRE(f.device->withdrawn.size() == 1);
  CHECK(f.device->withdrawn[0].request_id == "a#1");
  CHECK(f.device->runs.size() == 2);
  f.finish_run();
  CHECK(f.orchestrator->finished.empty());
  f.finish_run();
  REQUIRE(f.orchestrator->finished.size() == 1);
  CHECK(f.last_finished().epoch == 2);
}

TEST_CASE("a full queue ends an execution at once as overloaded") {
  node_fixture f;
  f.start();
  // Two run (the device's slots), four wait.
  for (int number = 0; number < 6; ++number)
    f.send(f.node, node_fixture::order_of(std::to_string(number)));
  CHECK(f.orchestrator->finished.empty());
  f.send(f.node, node_fixture::order_of("one too many"));
  CHECK(f.last_finished().execution_id == "one too many");
  CHECK(f.last_finished().error.code == error_code::overloaded);
  f.finish_run();
  CHECK(f.device->runs.size() == 2);
}

TEST_CASE("the highest priority starts first") {
  node_fixture f;
  f.start();
  for (auto* id : {"1", "2", "3", "4"}) {
    auto order = node_fixture::order_of(id);
    order.priority = id == std::string{"4"} ? 9 : 5;
    f.send(f.node, order);
  }
  f.finish_run();
  CHECK(f.device->runs.back().order.request.request_id == "4#1");
}

TEST_CASE("what the node can not do is answered with the reason") {
  node_fixture f;
  f.start();
  auto order = node_fixture::order_of("a");
  auto expected = error_code::none;
  SUBCASE("no time left") {
    order.time_left_ms = 0;
    expected = error_code::expired;
  }
  SUBCASE("more cores than there are") {
    order.required_cpu = 3;
    expected = error_code::unavailable;
  }
  SUBCASE("a GPU where there is none") {
    order.required_gpu = true;
    expected = error_code::unavailable;
  }
  SUBCASE("a cabinet that is not here") {
    order.cabinet = "patients";
    expected = error_code::not_found;
  }
  SUBCASE("a model that can not be had") {
    f.cache->errors["pairs"] = {error_code::corrupt, "wrong digest", {}};
    expected = error_code::corrupt;
  }
  SUBCASE("an input that does not have its digest") {
    order.inputs[0].digest = std::string(64, '0');
    expected = error_code::corrupt;
  }
  SUBCASE("an input that can not be fetched") {
    order.inputs[0] = models::detached(order.inputs[0]);
    expected = error_code::not_found;
  }
  f.send(f.node, order);
  REQUIRE(f.orchestrator->finished.size() == 1);
  CHECK(f.last_finished().error.code == expected);
  CHECK(f.device->runs_total == 0);
}

TEST_CASE("large inputs are fetched before the run, each once") {
  node_fixture f;
  f.start();
  auto order = node_fixture::order_of("a");
  auto whole = tests::pairs(2, 'z');
  f.cache->blobs[whole[0].digest] = std::string(16, 'z');
  order.inputs = {models::detached(whole[0])};
  f.send(f.node, order);
  REQUIRE(f.device->runs.size() == 1);
  CHECK(f.device->runs[0].order.request.inputs[0].data.view() == std::string(16, 'z'));
}

TEST_CASE("large outputs are detached, served in chunks, and forgotten when acknowledged") {
  node_fixture f;
  f.start();
  f.send(f.node, node_fixture::order_of("a"));
  auto large = models::make_tensor("y", models::datatype::uint8, {100'000},
                                   std::vector<char>(100'000, 'l'));
  f.device->next_answer.outputs = {large};
  f.finish_run();
  REQUIRE(f.last_finished().outputs[0].is_detached());
  auto part = f.ask<chunk>(f.node, fetch_chunk{large.digest, 99'990, 1 << 20});
  REQUIRE(part);
  CHECK(part->data.view() == std::string(10, 'l'));
  CHECK(part->total_size == 100'000);
  f.send(f.node, acknowledge_execution{"a", 1});
  auto gone = f.ask<chunk>(f.node, fetch_chunk{large.digest, 0, 10});
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code == error_code::not_found);
}

TEST_CASE("an execution that waits past its time is expired") {
  node_fixture f;
  f.start();
  for (auto* id : {"a", "b", "late"}) {
    auto order = node_fixture::order_of(id);
    if (id == std::string{"late"})
      order.time_left_ms = 3'000;
    f.send(f.node, order);
  }
  f.advance(4'000);
  REQUIRE(f.orchestrator->finished.size() == 1);
  CHECK(f.last_finished().execution_id == "late");
  CHECK(f.last_finished().error.code == error_code::expired);
}

TEST_CASE("a cancelled execution ends without a word, and holds its slot until it is over") {
  node_fixture f;
  f.start();
  for (auto* id : {"a", "b", "c", "d"})
    f.send(f.node, node_fixture::order_of(id));
  f.send(f.node, cancel_execution{"c", 1});
  f.send(f.node, cancel_execution{"a", 1});
  f.send(f.node, cancel_execution{"a", 1});
  f.send(f.node, cancel_execution{"unknown", 1});
  REQUIRE(f.device->withdrawn.size() == 1);
  CHECK(f.device->withdrawn[0].request_id == "a#1");
  CHECK(f.device->runs.size() == 2);
  f.send(f.node, infer_started{"a#1"});
  f.finish_run();
  CHECK(f.orchestrator->started.empty());
  CHECK(f.orchestrator->finished.empty());
  REQUIRE(f.device->runs.size() == 2);
  CHECK(f.device->runs.back().order.request.request_id == "d#1");
}

TEST_CASE("an execution whose model is on its way lets others pass") {
  node_fixture f;
  f.cache->silent = {"slow"};
  f.start();
  auto slow = node_fixture::order_of("slow");
  slow.model = "slow";
  slow.priority = 9;
  f.send(f.node, slow);
  f.send(f.node, node_fixture::order_of("quick"));
  REQUIRE(f.device->runs.size() == 1);
  CHECK(f.device->runs[0].order.request.request_id == "quick#1");
}

TEST_CASE("a model that came too late for whoever asked first is asked for again for the others") {
  node_fixture f;
  f.cache->late = 1;
  f.start();
  f.send(f.node, node_fixture::order_of("a"));
  CHECK(f.orchestrator->finished.empty());
  CHECK(f.cache->acquired.size() == 2);
  CHECK(f.device->runs_total == 1);
}

TEST_CASE("a model is fetched once for all, kept while it has an agent, and then let go") {
  node_fixture f;
  f.device->echoes = true;
  f.start();
  f.send(f.node, node_fixture::order_of("a"));
  auto key = "pairs:1@" + std::string(64, 'd');
  f.send(f.node, device_changed{{key}, {"cpu:0", 0, 0, 0, {}}});
  f.send(f.node, node_fixture::order_of("b"));
  CHECK(f.cache->acquired.size() == 2);
  f.send(f.node, node_fixture::order_of("c"));
  CHECK(f.cache->acquired.size() == 2);
  CHECK(f.cache->released.size() == 1);
  f.send(f.node, device_changed{{}, {"cpu:0", 0, 0, 0, {}}});
  CHECK(f.cache->released.size() == 2);
}

TEST_CASE("executions of two configurations of a model are for agents of their own") {
  node_fixture f;
  f.start();
  auto order = node_fixture::order_of("a");
  f.send(f.node, order);
  order.execution_id = "b";
  order.model_revision = 2;
  f.send(f.node, order);
  REQUIRE(f.cache->acquired.size() == 2);
  CHECK(f.cache->acquired[0].revision == 0);
  CHECK(f.cache->acquired[1].revision == 2);
  REQUIRE(f.device->runs.size() == 2);
  CHECK(f.device->runs[0].order.model->revision == 0);
  CHECK(f.device->runs[1].order.model->revision == 2);
}

TEST_CASE("a device that is gone or never answers ends its executions") {
  node_fixture f;
  f.arguments.agent.timeout_ms = 5'000;
  f.arguments.agent.start_timeout_ms = 5'000;
  f.arguments.agent.cancel_grace_ms = 1'000;
  f.start();
  SUBCASE("it is gone") {
    f.kill(f.device_handle);
    f.send(f.node, node_fixture::order_of("a"));
  }
  SUBCASE("it is silent") {
    auto order = node_fixture::order_of("a");
    order.time_left_ms = 3'000;
    f.send(f.node, order);
    f.advance(14'000);
    CHECK(f.orchestrator->finished.empty());
    f.advance(2'000);
  }
  REQUIRE(f.orchestrator->finished.size() == 1);
  CHECK(f.last_finished().error.code == error_code::agent_lost);
}
