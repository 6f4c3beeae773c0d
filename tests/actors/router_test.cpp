#include "tests/actors/router_fixture.hpp"

#include <filesystem>
#include <fstream>
#include <numeric>

#include "tests/support/temporary_folder.hpp"

using namespace dim;
using namespace dim::tests;

namespace {

std::size_t lines_in(const std::filesystem::path& file) {
  std::ifstream in{file};
  std::size_t count = 0;
  for (std::string line; std::getline(in, line);)
    ++count;
  return count;
}

}  // namespace

TEST_CASE("a direct inference goes to a node and comes back with its outputs and where it ran") {
  router_fixture f;
  f.start();
  auto& node = f.add_node("a");
  auto done = f.infer(f.request_of("r1"));
  CHECK(done.error.code == error_code::none);
  CHECK(done.model == "m");
  CHECK(done.version == "2");
  CHECK(done.node_id == "a");
  CHECK(done.outputs.size() == 2);
  CHECK(done.times.forward_ns == 3'000);
  REQUIRE(node.orders.size() == 1);
  CHECK(node.orders[0].model_digest == "m2");
  CHECK(f.infer(f.request_of("r2", "1")).version == "1");
}

TEST_CASE("only the wanted outputs come back, in the wanted order") {
  router_fixture f;
  f.start();
  f.add_node("a");
  auto request = f.request_of("r1");
  request.outputs = {"z", "y"};
  auto done = f.infer(request);
  REQUIRE(done.outputs.size() == 2);
  CHECK(done.outputs[0].name == "z");
  request.outputs = {"z"};
  CHECK(f.infer(request).outputs.size() == 1);
}

TEST_CASE("a request that does not fit its model never reaches a node") {
  router_fixture f;
  f.start();
  auto& node = f.add_node("a");
  auto request = f.request_of("r1");
  request.inputs[0].name = "w";
  auto done = f.infer(request);
  CHECK(done.error.code == error_code::bad_input);
  CHECK(done.error.message == "unexpected inference input 'w' for model 'm'");
  CHECK(node.orders.empty());
}

TEST_CASE("an unknown model is refused in the clients' words until MODELS says it is served") {
  router_fixture f;
  f.start();
  f.add_node("a");
  auto request = f.request_of("r1");
  request.model = "late";
  auto done = f.infer(request);
  CHECK(done.error.code == error_code::model_not_found);
  CHECK(done.error.message.starts_with("Request for unknown model: 'late'"));
  f.catalogue.revision = 2;
  f.catalogue.versions.push_back({f.entry("late", "1"), serving_state::ready, {}});
  f.send(f.router, f.catalogue);
  CHECK(f.infer(request).error.code == error_code::none);
}

TEST_CASE("requests that come before it is known what is served wait for it") {
  router_fixture f;
  f.router = f.sys().spawn(actors::router, f.arguments);
  auto reply = f.request<inference_done>(f.router, f.request_of("r1"));
  f.run();
  CHECK(f.code_of(reply) == error_code::unavailable);
}

TEST_CASE("while MODELS does not answer, requests fail as unavailable, and each one asks again") {
  router_fixture f;
  f.models_answer = false;
  f.start();
  f.add_node("a");
  auto refused = f.infer(f.request_of("r1"));
  CHECK(refused.error.code == error_code::unavailable);
  CHECK(refused.error.message.starts_with("it is not known yet which models are served"));
  f.models_answer = true;
  CHECK(f.infer(f.request_of("r2")).error.code == error_code::none);
}

TEST_CASE("what MODELS says is served counts, with aliases and states, and the newest of it") {
  router_fixture f;
  f.start();
  f.add_node("a");
  served_models news;
  news.revision = 3;
  news.versions = {{f.entry("m", "1"), serving_state::ready, {}},
                   {f.entry("m", "2"), serving_state::loading, {}}};
  news.aliases["champion"] = {"m", ""};
  f.send(f.router, news);
  CHECK(f.infer(f.request_of("r1")).version == "1");
  auto request = f.request_of("r2");
  request.model = "champion";
  auto done = f.infer(request);
  CHECK(done.model == "m");
  CHECK(done.version == "1");
  CHECK(f.infer(f.request_of("r3", "2")).error.code == error_code::unavailable);
  CHECK(f.infer(f.request_of("r4", "7")).error.code == error_code::model_not_found);
  news.revision = 2;
  news.versions.clear();
  f.send(f.router, news);
  CHECK(f.infer(f.request_of("r5")).version == "1");
}

TEST_CASE("a node that is suspect, draining, quarantined or away gets nothing") {
  for (auto state : {node_state::suspect, node_state::draining, node_state::quarantined,
                     node_state::joining, node_state::offline}) {
    router_fixture f;
    f.start();
    auto& node = f.add_node("a", state);
    CHECK(f.infer(f.request_of("r1")).error.code == error_code::unavailable);
    CHECK(node.orders.empty());
    f.tell_of("a", node_state::busy);
    CHECK(f.infer(f.request_of("r2")).error.code == error_code::none);
  }
}

TEST_CASE("a version that is asked for is started on every node, or on as many as may serve it") {
  for (auto nodes_max : {0u, 2u}) {
    router_fixture f;
    f.arguments.options.nodes_per_model_max = nodes_max;
    f.start();
    for (auto* id : {"a", "b", "c"})
      f.add_node(id);
    f.infer(f.request_of("r1"));
    std::size_t asked = 0;
    for (auto& [id, script] : f.scripts)
      asked += script->agents.size();
    CHECK(asked == (nodes_max == 0 ? 3 : 2));
  }
}

TEST_CASE("a request whose agent is lost is tried once more, on another node") {
  router_fixture f;
  f.start();
  auto& first = f.add_node("a");
  auto& second = f.add_node("b");
  first.fails_with = second.fails_with = error_code::agent_lost;
  CHECK(f.infer(f.request_of("r1")).error.code == error_code::agent_lost);
  CHECK(first.orders.size() == 1);
  CHECK(second.orders.size() == 1);
  second.fails_with = error_code::none;
  for (int index = 0; index < 4; ++index)
    CHECK(f.infer(f.request_of("again")).error.code == error_code::none);
}

TEST_CASE("what can not heal, and a request without another try, is answered as it is") {
  router_fixture f;
  f.start();
  auto& first = f.add_node("a");
  auto& second = f.add_node("b");
  first.fails_with = second.fails_with = error_code::bad_model;
  CHECK(f.infer(f.request_of("r1")).error.code == error_code::bad_model);
  CHECK(first.orders.size() + second.orders.size() == 1);
}

TEST_CASE("what a lost node had in hand goes to another, and nothing is answered twice") {
  router_fixture f;
  f.start();
  auto& first = f.add_node("a");
  auto& second = f.add_node("b");
  first.holds = second.holds = true;
  std::vector<pending_reply<inference_done>> replies;
  for (int index = 0; index < 6; ++index)
    replies.push_back(f.begin(f.request_of("r" + std::to_string(index))));
  auto at_second = second.waiting.size();
  CHECK(at_second == 3);
  second.holds = false;
  f.lose("a");
  f.answer("b");
  f.answer("a");
  for (auto& reply : replies)
    CHECK(f.code_of(reply) == error_code::none);
  CHECK(second.orders.size() == 6);
  CHECK(f.statistics("2").success.count == 6);
  CHECK(f.statistics("2").pending == 0);
}

TEST_CASE("without another node a lost one's requests fail as node_lost") {
  router_fixture f;
  f.start();
  f.add_node("a").holds = true;
  auto reply = f.begin(f.request_of("r1"));
  f.lose("a");
  CHECK(f.code_of(reply) == error_code::node_lost);
}

TEST_CASE("a request whose time is over is answered, and withdrawn from its node") {
  router_fixture f;
  f.start();
  auto& node = f.add_node("a");
  node.holds = true;
  auto request = f.request_of("r1");
  request.time_left_ms = 200;
  auto reply = f.begin(request);
  f.advance(150);
  CHECK_FALSE(reply->has_value());
  f.advance(100);
  CHECK(f.code_of(reply) == error_code::timeout);
  REQUIRE(node.withdrawn.size() == 1);
  CHECK(node.withdrawn[0].request_id == "r1");
  f.answer("a");
  CHECK(f.statistics("2").fail.count == 1);
  CHECK(f.statistics("2").success.count == 0);
}

TEST_CASE("the caller's disconnect withdraws a request, and is counted") {
  router_fixture f;
  f.start();
  auto& node = f.add_node("a");
  node.holds = true;
  auto reply = f.begin(f.request_of("r1"));
  f.send(f.router, withdraw_inference{"somebody else's"});
  CHECK_FALSE(reply->has_value());
  f.send(f.router, withdraw_inference{"r1"});
  CHECK(f.code_of(reply) == error_code::cancelled);
  CHECK(node.withdrawn.size() == 1);
  CHECK(f.statistics("2").failures.at("CANCELED") == 1);
}

TEST_CASE("too many requests under way are refused, of one version or of all") {
  router_fixture f;
  f.arguments.options.outstanding_per_model_max = 2;
  f.arguments.options.outstanding_max = 3;
  f.start();
  auto& node = f.add_node("a");
  node.holds = true;
  auto first = f.begin(f.request_of("r1"));
  f.begin(f.request_of("r2"));
  auto done = f.infer(f.request_of("r3"));
  CHECK(done.error.code == error_code::overloaded);
  CHECK(done.error.message.find("Exceeds maximum queue size") != std::string::npos);
  f.begin(f.request_of("r4", "1"));
  CHECK(f.infer(f.request_of("r5", "1")).error.code == error_code::overloaded);
  CHECK(f.statistics("2").failures.at("REJECTED") == 1);
  f.answer("a");
  CHECK(f.code_of(first) == error_code::none);
  node.holds = false;
  CHECK(f.infer(f.request_of("r6")).error.code == error_code::none);
}

TEST_CASE("statistics count rows, forwards, times and why batches left") {
  router_fixture f;
  f.start();
  f.add_node("a");
  f.infer(f.request_of("r1"));
  f.infer(f.request_of("r2"));
  auto counts = f.statistics("2");
  CHECK(counts.inference_count == 2);
  CHECK(counts.execution_count == 2);
  CHECK(counts.queue == duration_count{2, 2'000});
  const auto& responses = counts.first_response.counts;
  CHECK(std::accumulate(responses.begin(), responses.end(), std::uint64_t{0}) == 2);
  CHECK(counts.forward == duration_count{2, 6'000});
  CHECK(counts.by_batch_size.at(1).forward == duration_count{2, 6'000});
  CHECK(counts.releases.at("idle") == 2);
  CHECK(f.ask<model_statistics_list>(f.router, get_model_statistics{})->models.size() == 2);
  CHECK_FALSE(f.ask<model_statistics_list>(f.router, get_model_statistics{"nobody", ""}));
}

TEST_CASE("the last inferences are remembered, without their tensors, up to the limit") {
  router_fixture f;
  f.arguments.options.records_max = 3;
  f.start();
  f.add_node("a");
  for (int index = 1; index <= 5; ++index)
    f.infer(f.request_of("r" + std::to_string(index)));
  auto list = f.ask<inference_record_list>(f.router, get_inference_records{"", 10});
  REQUIRE(list.has_value());
  REQUIRE(list->records.size() == 3);
  CHECK(list->records[0].request_id == "r5");
  CHECK(list->records[2].request_id == "r3");
  CHECK(list->records[0].node_id == "a");
  CHECK(f.ask<inference_record_list>(f.router, get_inference_records{"m", 1})->records.size() == 1);
  CHECK(f.ask<inference_record_list>(f.router, get_inference_records{"n", 9})->records.empty());
}

TEST_CASE("records are written many together, and the last of them soon after") {
  router_fixture f;
  temporary_folder folder;
  auto file = folder.path() / "records.jsonl";
  f.arguments.options.record_file = file.string();
  f.arguments.options.record_file_bytes_max = 1 << 20;
  f.start();
  f.add_node("a");
  f.begin(std::vector<run_inference>(511, f.request_of("r")));
  CHECK(lines_in(file) == 0);
  f.infer(f.request_of("r"));
  CHECK(lines_in(file) == 512);
  f.infer(f.request_of("last"));
  f.advance(200);
  CHECK(lines_in(file) == 512);
  f.advance(100);
  CHECK(lines_in(file) == 513);
}

TEST_CASE("records that are not written yet are when ROUTER ends") {
  router_fixture f;
  temporary_folder folder;
  auto file = folder.path() / "records.jsonl";
  f.arguments.options.record_file = file.string();
  f.arguments.options.record_file_bytes_max = 1 << 20;
  f.start();
  f.add_node("a");
  f.infer(f.request_of("r1"));
  f.infer(f.request_of("r2"));
  CHECK(lines_in(file) == 0);
  caf::anon_send_exit(f.router, caf::exit_reason::user_shutdown);
  f.run();
  CHECK(lines_in(file) == 2);
}

TEST_CASE("while a request waits long before its deadline, no timer takes ROUTER off its thread") {
  router_fixture f;
  f.start();
  f.add_node("a").holds = true;
  f.begin(f.request_of("r1"));
  auto handled = [&f] { return f.context().actors.vitals(f.router.id())->handled.load(); };
  auto before = handled();
  f.advance(4'000);
  CHECK(handled() == before);
}
