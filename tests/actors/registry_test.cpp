#include <doctest/doctest.h>

#include "runtime/record_codec.hpp"
#include "tests/actors/registry_fixture.hpp"

using namespace dim;
using namespace dim::actors;
using tests::registry_fixture;

TEST_CASE("a node joins, is stored, and is offered to the scheduler with its handle") {
  registry_fixture f;
  f.start();
  auto accepted = f.ask<join_accepted>(f.registry, f.join_of(f.new_node()));
  REQUIRE(accepted.has_value());
  CHECK(accepted->generation == 7);
  CHECK(f.node().state == node_state::online);
  CHECK(double(f.node().reputation) == 100.0);
  CHECK(f.events_of("node_joined") == 1);
  auto news = f.scheduler_box->all<node_updated>();
  REQUIRE(news.size() == 1);
  CHECK(news[0].handle);
}

TEST_CASE("a node is told of its admission before the scheduler can send it work") {
  registry_fixture f;
  f.start();
  f.joining = f.request<join_accepted>(f.registry, f.join_of(f.new_node()));
  f.run();
  CHECK(f.scheduler_box->all<node_updated>().size() == 1);
  CHECK(f.was_answered_first);
}

TEST_CASE("what a full store refuses is stored in order when there is space again") {
  registry_fixture f;
  f.start();
  auto first = f.new_node();
  REQUIRE(f.ask<join_accepted>(f.registry, f.join_of(first)).has_value());
  f.store_refusal = {runtime::error_code::store_full, "no space", {}};
  f.kill(first);
  REQUIRE(f.ask<join_accepted>(f.registry, f.join_of(f.new_node(), 2)).has_value());
  f.advance(2'000);
  CHECK(f.events_of("node_lost") == 0);
  f.store_refusal = {};
  f.advance(1'000);
  std::vector<std::string> kinds;
  for (auto& commit : f.commits)
    for (auto& one : commit.events)
      kinds.push_back(one.kind);
  CHECK(kinds
        == std::vector<std::string>{"node_joined", "node_lost", "reputation_changed",
                                    "node_joined"});
  CHECK(double(f.node().reputation) == 80.0);
}

TEST_CASE("another cluster or protocol is refused with words") {
  registry_fixture f;
  f.start();
  auto join = f.join_of(f.new_node());
  join.cluster = "other";
  auto answer = f.ask<join_accepted>(f.registry, join);
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().code == runtime::error_code::protocol_mismatch);
  join = f.join_of(f.new_node());
  join.protocol = 999;
  CHECK_FALSE(f.ask<join_accepted>(f.registry, join).has_value());
}

TEST_CASE("a lost connection loses the node at once, and costs 20 points once") {
  registry_fixture f;
  f.start();
  auto handle = f.new_node();
  f.ask<join_accepted>(f.registry, f.join_of(handle));
  f.kill(handle);
  CHECK(f.node().state == node_state::offline);
  CHECK(double(f.node().reputation) == 80.0);
  CHECK(f.scheduler_box->count<node_lost>() == 1);
  f.advance(600'000);
  CHECK(double(f.node().reputation) == 80.0);
  CHECK(f.events_of("node_lost") == 1);
  CHECK(f.events_of("reputation_changed") == 1);
}

TEST_CASE("silence makes a node suspect, then lost; a heartbeat heals the first") {
  registry_fixture f;
  f.start();
  f.ask<join_accepted>(f.registry, f.join_of(f.new_node()));
  f.advance(3'600);
  CHECK(f.node().state == node_state::suspect);
  f.send(f.registry, node_heartbeat{"node-0001", 1, false, {}, {}, true});
  CHECK(f.node().state == node_state::online);
  f.advance(10'600);
  CHECK(f.node().state == node_state::offline);
  CHECK(f.scheduler_box->count<node_lost>() == 1);
}

TEST_CASE("a registry that was stopped itself blames no node for what it has not heard") {
  registry_fixture f;
  f.start();
  auto handle = f.new_node();
  f.ask<join_accepted>(f.registry, f.join_of(handle));
  f.sleep_through(60'000);
  f.advance(600);
  CHECK(f.node().state == node_state::online);
  f.sleep_through(60'000);
  f.kill(handle);
  CHECK(f.node().state == node_state::offline);
  CHECK(f.scheduler_box->count<node_lost>() == 1);
  CHECK(double(f.node().reputation) == 100.0);
  auto next = f.new_node();
  f.ask<join_accepted>(f.registry, f.join_of(next));
  f.advance(1'000);
  f.kill(next);
  CHECK(double(f.node().reputation) == 100.0);
  auto last = f.new_node();
  f.ask<join_accepted>(f.registry, f.join_of(last));
  f.advance(3'500);
  f.kill(last);
  CHECK(double(f.node().reputation) == 80.0);
}

TEST_CASE("a node that was started again ends its older incarnation first") {
  registry_fixture f;
  f.start();
  f.ask<join_accepted>(f.registry, f.join_of(f.new_node(), 1));
  REQUIRE(f.ask<join_accepted>(f.registry, f.join_of(f.new_node(), 2)).has_value());
  auto lost = f.scheduler_box->all<node_lost>();
  REQUIRE(lost.size() == 1);
  CHECK(lost[0].incarnation == 1);
  CHECK(f.node().state == node_state::online);
  CHECK(f.node().incarnation == 2);
}

TEST_CASE("a heartbeat of a stranger is answered with the wish to join again") {
  registry_fixture f;
  f.start();
  auto handle = f.new_node();
  f.send_from(handle, f.registry, node_heartbeat{"node-0001", 1, false, {}, {}, true});
  CHECK(f.node_box->count<rejoin_cluster>() == 1);
}

TEST_CASE("a node that drains and leaves loses no reputation") {
  registry_fixture f;
  f.start();
  auto handle = f.new_node();
  f.ask<join_accepted>(f.registry, f.join_of(handle));
  f.send(f.registry, node_heartbeat{"node-0001", 1, true, {}, {}, true});
  CHECK(f.node().state == node_state::draining);
  f.kill(handle, caf::exit_reason::user_shutdown);
  CHECK(double(f.node().reputation) == 100.0);
  CHECK(f.events_of("node_left") == 1);
}

TEST_CASE("a node that ends in order without having said so loses its work, but no reputation") {
  registry_fixture f;
  f.start();
  auto handle = f.new_node();
  f.ask<join_accepted>(f.registry, f.join_of(handle));
  f.kill(handle, caf::exit_reason::user_shutdown);
  CHECK(f.node().state == node_state::offline);
  CHECK(double(f.node().reputation) == 100.0);
  CHECK(f.scheduler_box->count<node_lost>() == 1);
}

TEST_CASE("scores are added, stored with their event, and outlive a restart") {
  registry_fixture f;
  node_record old;
  old.facts.id = "node-0001";
  old.facts.name = "clinic";
  old.state = node_state::online;
  old.reputation = 140.0;
  f.stored.nodes = {old};
  f.start();
  CHECK(f.node().state == node_state::offline);
  f.ask<join_accepted>(f.registry, f.join_of(f.new_node()));
  f.send(f.registry, score_nodes{"job", {{"node-0001", "e1", 5}, {"node-0001", "e2", -10}}});
  CHECK(double(f.node().reputation) == 135.0);
  CHECK(f.events_of("reputation_changed") == 2);
}

TEST_CASE("the status fails in time when a part of the orchestrator does not answer") {
  registry_fixture f;
  f.start();
  auto asked = f.ask_within<cluster_status>(6'000, f.registry, get_cluster_status{});
  REQUIRE_FALSE(asked.has_value());
  CHECK(asked.error().code == runtime::error_code::timeout);
}

TEST_CASE("what a full store refuses is stored as soon as it has space, with every event") {
  registry_fixture f;
  f.start();
  f.ask<join_accepted>(f.registry, f.join_of(f.new_node()));
  f.store_refusal = {runtime::error_code::store_full, "no space", {}};
  f.send(f.registry, score_nodes{"job", {{"node-0001", "e1", 5}}});
  f.send(f.registry, score_nodes{"job", {{"node-0001", "e2", -10}}});
  f.advance(1'500);
  CHECK(f.events_of("reputation_changed") == 0);
  f.store_refusal = {};
  f.advance(1'000);
  CHECK(f.events_of("reputation_changed") == 2);
  f.advance(5'000);
  CHECK(f.events_of("reputation_changed") == 2);
  REQUIRE_FALSE(f.commits.empty());
  auto row = runtime::decode_record<node_record>(f.commits.back().changes[0].value.view());
  REQUIRE(row.has_value());
  CHECK(double(row->reputation) == 95.0);
}
