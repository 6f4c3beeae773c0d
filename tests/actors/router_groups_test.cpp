// Requests that come to ROUTER in one message, and what travels to a node in one.
#include "tests/actors/router_fixture.hpp"

using namespace dim;
using namespace dim::tests;

TEST_CASE("requests that come together go to a node together, and are answered together") {
  router_fixture f;
  f.start();
  auto& node = f.add_node("a");
  auto reply = f.begin({f.request_of("r1"), f.request_of("r2", "1"), f.request_of("r3")});
  CHECK(node.orders.size() == 3);
  // One for each version.
  CHECK(node.parcels == 2);
  REQUIRE(reply->has_value());
  REQUIRE((*reply)->has_value());
  auto& answers = (**reply)->answers;
  REQUIRE(answers.size() == 3);
  for (auto& each : answers)
    CHECK(each.done.error.code == error_code::none);
}

TEST_CASE("of requests that come together the refused ones are answered ahead of the others") {
  router_fixture f;
  f.start();
  auto& node = f.add_node("a");
  node.holds = true;
  auto late = f.request_of("r2");
  late.time_left_ms = 0;
  auto told = std::make_shared<inferences_done>();
  run_inferences group{{{7, f.request_of("r1")}, {8, late}}};
  auto asker = f.sys().spawn([&f, told, group](caf::event_based_actor* self) -> caf::behavior {
    auto note = [told](const inferences_done& news) {
      told->answers.insert(told->answers.end(), news.answers.begin(), news.answers.end());
    };
    self->request(f.router, caf::infinite, group).then(note);
    return {note};
  });
  f.run();
  REQUIRE(told->answers.size() == 1);
  CHECK(told->answers[0].number == 8);
  CHECK(told->answers[0].done.error.code == error_code::expired);
  f.answer("a");
  REQUIRE(told->answers.size() == 2);
  CHECK(told->answers[1].number == 7);
  CHECK(told->answers[1].done.error.code == error_code::none);
}

TEST_CASE("an answer that comes ahead of a node's reply is taken, and the rest is not lost") {
  router_fixture f;
  f.start();
  auto& node = f.add_node("a");
  node.holds = true;
  auto reply = f.begin({f.request_of("r1"), f.request_of("r2"), f.request_of("r3")});
  REQUIRE(node.waiting.size() == 1);
  auto& order = node.waiting[0].order;
  REQUIRE(order.requests.size() == 3);
  auto first = order.requests[0].number;
  f.send(f.router, infer_results{{{first, node.answer()}}});
  CHECK(f.statistics("2").success.count == 1);
  CHECK_FALSE(reply->has_value());
  // A node that leaves one out has lost it: it is run again.
  order.requests.pop_back();
  node.holds = false;
  f.answer("a");
  REQUIRE(reply->has_value());
  for (auto& each : (**reply)->answers)
    CHECK(each.done.error.code == error_code::none);
  CHECK(f.statistics("2").success.count == 3);
  CHECK(f.statistics("2").pending == 0);
  CHECK(node.orders.size() == 4);
}

TEST_CASE("large requests do not travel together") {
  router_fixture f;
  f.catalogue.versions[1].model.spec.inputs[0].dims = {-1};
  f.start();
  auto& node = f.add_node("a");
  auto large = f.request_of("r1");
  large.inputs = {models::make_tensor("x", models::datatype::fp32, {1, 40'000},
                                      std::vector<char>(160'000))};
  auto other = large;
  other.request_id = "r2";
  f.begin({large, other});
  CHECK(node.orders.size() == 2);
  CHECK(node.parcels == 2);
}

TEST_CASE("a request that is past its deadline leaves those that were sent with it alone") {
  router_fixture f;
  f.start();
  auto& node = f.add_node("a");
  node.holds = true;
  auto hurried = f.request_of("r1");
  hurried.time_left_ms = 100;
  auto reply = f.begin({hurried, f.request_of("r2")});
  f.advance(200);
  CHECK(f.statistics("2").fail.count == 1);
  REQUIRE(node.withdrawn.size() == 1);
  CHECK(node.withdrawn[0].request_id == "r1");
  f.answer("a");
  REQUIRE(reply->has_value());
  CHECK(f.statistics("2").success.count == 1);
  CHECK(f.statistics("2").pending == 0);
}

TEST_CASE("what a node says of requests that have all ended changes nothing") {
  router_fixture f;
  f.start();
  auto& node = f.add_node("a");
  node.holds = true;
  auto hurried = f.request_of("r1");
  hurried.time_left_ms = 100;
  f.begin({hurried, f.request_of("r2")});
  f.advance(200);
  REQUIRE(node.waiting.size() == 1);
  auto second = node.waiting[0].order.requests[1].number;
  f.send(f.router, infer_results{{{second, node.answer()}}});
  CHECK(f.statistics("2").pending == 0);
  // What the node still says finds nobody.
  f.answer("a");
  CHECK(f.statistics("2").success.count == 1);
  CHECK(f.statistics("2").fail.count == 1);
}
