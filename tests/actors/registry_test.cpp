#include <doctest/doctest.h>

#include "actors/cluster/registry.hpp"
#include "tests/support/actor_fixture.hpp"

using namespace dim;
using namespace dim::actors;

namespace {

struct registry_fixture : tests::actor_fixture {
  std::shared_ptr<tests::inbox> scheduler_box = std::make_shared<tests::inbox>();
  std::shared_ptr<tests::inbox> node_box = std::make_shared<tests::inbox>();
  std::vector<commit_changes> commits;
  stored_nodes stored;
  registry_actor registry;
  /// A join under way, and whether it was answered when SCHEDULER heard of the node.
  tests::pending_reply<join_accepted> joining;
  bool was_answered_first = false;

  /// Keeps what it is told, and never answers what it is asked.
  caf::actor make_scheduler() {
    return sys().spawn([this, box = scheduler_box](caf::event_based_actor* self) -> caf::behavior {
      return {[this, box](const node_updated& x) {
                was_answered_first = joining && joining->has_value();
                box->put(caf::make_message(x));
              },
              [box](const node_lost& x) { box->put(caf::make_message(x)); },
              [box](const node_work& x) { box->put(caf::make_message(x)); },
              [self](get_schedule) { return self->make_response_promise(); }};
    });
  }

  void start() {
    auto scheduler = make_scheduler();
    registry_arguments arguments;
    arguments.cluster = "test";
    arguments.generation = 7;
    arguments.scheduler.set(caf::actor_cast<scheduler_actor>(scheduler));
    arguments.store.set(fake<store_actor>([this](const commit_changes& x) {
      commits.push_back(x);
      return commit_result{true, {}, 0};
    }));
    auto queries = sys().spawn([this](caf::event_based_actor*) -> caf::behavior {
      return {[this](load_nodes) { return stored; },
              [](get_totals) {
                return store_totals{{1, 2, 3, 4, 5, 6}, 9, 10, false};
              }};
    });
    arguments.queries.set(caf::actor_cast<queries_actor>(queries));
    registry = sys().spawn(actors::registry, arguments);
    run();
  }

  caf::actor new_node() {
    return probe(node_box);
  }

  join_cluster join_of(const caf::actor& handle, std::uint64_t incarnation = 1) {
    join_cluster result;
    result.cluster = "test";
    result.incarnation = incarnation;
    result.facts.id = "node-0001";
    result.facts.name = "clinic";
    result.facts.cpu_cores = 2;
    result.facts.devices = {{"cpu:0", "cpu", "", 1, 0, 1}};
    result.handle = caf::actor_cast<node_actor>(handle);
    return result;
  }

  node_record node() {
    return ask<node_record>(registry, get_node{"clinic"}).value();
  }

  std::size_t events_of(const std::string& kind) const {
    std::size_t result = 0;
    for (auto& commit : commits)
      for (auto& one : commit.events)
        result += one.kind == kind;
    return result;
  }
};

}  // namespace

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
