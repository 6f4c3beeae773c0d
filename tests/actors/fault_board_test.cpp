#include <algorithm>

#include <doctest/doctest.h>

#include "actors/faults/fault_board.hpp"
#include "actors/faults/fault_names.hpp"
#include "tests/support/actor_fixture.hpp"

using namespace dim;
using namespace dim::actors;
using namespace dim::tests;

namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

fault_order order_of(fault_kind kind, const std::string& target) {
  fault_order order;
  order.id = "fault-1";
  order.kind = kind;
  order.target = target;
  order.lasts_ms = 1'000;
  order.seed = 7;
  return order;
}

/// An actor of another process.
class far_actor : public caf::actor_proxy {
public:
  using caf::actor_proxy::actor_proxy;
  void enqueue(caf::mailbox_element_ptr, caf::execution_unit*) override {
  }
  void kill_proxy(caf::execution_unit*, caf::error) override {
  }
};

/// A board of "node/a", and messages that come to it from processes of other actor systems.
struct board_fixture : actor_fixture {
  board_fixture() {
    board.set_peers({{peer, {"orchestrator"}}, {other_peer, {"node/b"}}});
  }

  static caf::node_id node(std::uint32_t number) {
    return *caf::make_node_id(number, std::string(40, 'a'));
  }

  /// Somebody in that process.
  caf::strong_actor_ptr sender_in(const caf::node_id& process) {
    caf::actor_config config;
    return caf::make_actor<far_actor, caf::strong_actor_ptr>(1, process, &sys(), config);
  }

  runtime::message_fault decide(const caf::node_id& from, const char* receiver = "REGISTRY",
                                caf::message content = caf::make_message(list_nodes{})) {
    auto element =
      caf::make_mailbox_element(sender_in(from), caf::make_message_id(), {}, std::move(content));
    return board.decide(sys(), receiver, *element).fault;
  }

  caf::node_id peer = node(1);
  caf::node_id other_peer = node(2);
  fault_board board{{"node/a"}};
};

}  // namespace

TEST_CASE("a target names processes, agents or actors") {
  CHECK(parse_target("node/*").kind == target_kind::process);
  CHECK(parse_target("node/*").name == "node/*");
  const auto agent = parse_target("agent/digits-*@node/b");
  CHECK(agent.kind == target_kind::agent);
  CHECK(agent.name == "digits-*");
  CHECK(agent.process == "node/b");
  const auto actor = parse_target("actor/JOB");
  CHECK(actor.kind == target_kind::actor);
  CHECK(actor.process == "*");
  CHECK(concerns(agent, {"node/b"}));
  CHECK_FALSE(concerns(agent, {"node/c"}));
  CHECK(names_of_process({"gateway", "orchestrator", "node"}, "x")
        == std::vector<std::string>{"orchestrator", "node/x", "gateway/x"});
}

TEST_CASE("every problem of an order is named") {
  auto order = order_of(fault_kind::delay, "agent/x");
  order.lasts_ms = 0;
  order.probability = 2.0;
  order.factor = 0.5;
  CHECK(problems_of(order, 1'000).size() == 5);
  order = order_of(fault_kind::delay, "node/*");
  order.delay_max_ms = 10;
  CHECK(problems_of(order, 1'000).empty());
  order.lasts_ms = 1'001;
  CHECK(problems_of(order, 1'000) == std::vector<std::string>{"lasts_ms: expected 1 to 1000"});
  CHECK(problems_of(order_of(fault_kind::fill_disk, "actor/STORE"), 1'000).size() == 1);
}

TEST_CASE("a partition loses what comes from the other side, and nothing else") {
  board_fixture f;
  auto cut = order_of(fault_kind::partition, "node/a");
  cut.peer = "orchestrator";
  f.board.put(cut, runtime::clock_ns(f.sys()) + second_ns);
  CHECK(f.decide(f.peer) == runtime::message_fault::drop);
  CHECK(f.decide(f.other_peer) == runtime::message_fault::none);
  CHECK(f.decide(f.sys().node()) == runtime::message_fault::none);
  CHECK(f.decide(f.node(9)) == runtime::message_fault::none);
}

TEST_CASE("a partition in one way loses only what its target sends") {
  board_fixture f;
  auto cut = order_of(fault_kind::partition, "node/a");
  cut.one_way = true;
  f.board.put(cut, runtime::clock_ns(f.sys()) + second_ns);
  CHECK(f.decide(f.peer) == runtime::message_fault::none);
  f.board.remove("fault-1");
  cut.target = "orchestrator";
  f.board.put(cut, runtime::clock_ns(f.sys()) + second_ns);
  CHECK(f.decide(f.peer) == runtime::message_fault::drop);
  CHECK(f.decide(f.other_peer) == runtime::message_fault::none);
}

TEST_CASE("the faults' own messages, and the news of ends, always arrive") {
  board_fixture f;
  f.board.put(order_of(fault_kind::drop, "*"), runtime::clock_ns(f.sys()) + second_ns);
  CHECK(f.decide(f.peer) == runtime::message_fault::drop);
  CHECK(f.decide(f.peer, "FAULTS", caf::make_message(clear_faults{}))
        == runtime::message_fault::none);
  CHECK(f.decide(f.peer, "REGISTRY", caf::make_message(caf::down_msg{}))
        == runtime::message_fault::none);
}

TEST_CASE("a fault may be for some messages and for one actor only") {
  board_fixture f;
  auto drop = order_of(fault_kind::drop, "actor/REG*@node/*");
  drop.messages = {"node_heartbeat"};
  f.board.put(drop, runtime::clock_ns(f.sys()) + second_ns);
  auto heartbeat = [] { return caf::make_message(node_heartbeat{}); };
  CHECK(f.decide(f.peer, "REGISTRY", heartbeat()) == runtime::message_fault::drop);
  CHECK(f.decide(f.peer, "REGISTRY") == runtime::message_fault::none);
  CHECK(f.decide(f.peer, "SCHEDULER", heartbeat()) == runtime::message_fault::none);
}

TEST_CASE("a fault ends at its time, and its strikes are counted") {
  board_fixture f;
  const auto now = runtime::clock_ns(f.sys());
  f.board.put(order_of(fault_kind::duplicate, "node/a"), now + second_ns);
  CHECK(f.decide(f.peer) == runtime::message_fault::duplicate);
  CHECK(f.decide(f.peer) == runtime::message_fault::duplicate);
  const auto active = f.board.active(now);
  REQUIRE(active.size() == 1);
  CHECK(active[0].strikes == 2);
  CHECK(active[0].left_ms == 1'000);
  f.advance(1'000);
  CHECK(f.decide(f.peer) == runtime::message_fault::none);
  CHECK(f.board.active(runtime::clock_ns(f.sys())).empty());
}

TEST_CASE("the same seed strikes the same messages, about as often as the probability says") {
  const auto struck = [](std::uint64_t seed) {
    fault_board board{{"node/a"}};
    auto order = order_of(fault_kind::wrong_result, "node/a");
    order.probability = 0.25;
    order.seed = seed;
    board.put(order, second_ns);
    std::vector<bool> result;
    for (int i = 0; i < 4'000; ++i)
      result.push_back(board.decide_forward("m", 0).is_wrong);
    return result;
  };
  const auto first = struck(1);
  CHECK(first == struck(1));
  CHECK(first != struck(2));
  const auto count = std::count(first.begin(), first.end(), true);
  CHECK(count > 850);
  CHECK(count < 1'150);
}

TEST_CASE("a full disk refuses commits and blobs, but not what frees space") {
  fault_board board{{"orchestrator"}};
  board.put(order_of(fault_kind::fill_disk, "orchestrator"), second_ns);
  CHECK(board.decide(runtime::disk_write::commit, 0) == runtime::write_fate::full);
  CHECK(board.decide(runtime::disk_write::blob, 0) == runtime::write_fate::full);
  CHECK(board.decide(runtime::disk_write::reclaim, 0) == runtime::write_fate::proceed);
  CHECK(board.decide(runtime::disk_write::commit, second_ns) == runtime::write_fate::proceed);
}

TEST_CASE("forwards are hit by model and by process") {
  fault_board board{{"node/a"}};
  auto slow = order_of(fault_kind::slow, "agent/digits-*@node/a");
  slow.factor = 3.0;
  board.put(slow, second_ns);
  board.put(order_of(fault_kind::out_of_memory, "node/b"), second_ns);
  CHECK(board.decide_forward("digits-mlp", 0).factor == 3.0);
  CHECK(board.decide_forward("risk", 0).factor == 1.0);
  CHECK_FALSE(board.decide_forward("risk", 0).is_out_of_memory);
}
