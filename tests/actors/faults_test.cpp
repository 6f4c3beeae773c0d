#include "actors/faults/faults.hpp"

#include <doctest/doctest.h>

#include "tests/support/actor_fixture.hpp"

using namespace dim;
using namespace dim::actors;
using namespace dim::tests;
using runtime::error_code;

namespace {

fault_order order_of(fault_kind kind, const std::string& target) {
  fault_order order;
  order.kind = kind;
  order.target = target;
  order.lasts_ms = 1'000;
  return order;
}

/// The orchestrator's FAULTS, and that of a "node/a" which reports to it.
struct faults_fixture : actor_fixture {
  explicit faults_fixture(bool is_enabled = true) {
    central = sys().spawn(faults, faults_arguments{is_enabled, 60'000, central_board, {}, true});
    auto entry = sys().spawn([this](caf::event_based_actor* self) -> caf::behavior {
      return {[this, self](faults_report& news) { self->delegate(central, std::move(news)); }};
    });
    node = sys().spawn(faults, faults_arguments{is_enabled, 60'000, node_board,
                                                runtime::service<caf::actor>{entry}, false});
    advance(300);
  }
  ~faults_fixture() {
    context().faults = nullptr;
  }

  runtime::expected<fault_injected> inject(const fault_order& order) {
    return ask_within<fault_injected>(2'000, central, inject_fault{order});
  }

  std::shared_ptr<fault_board> central_board =
    std::make_shared<fault_board>(std::vector<std::string>{"orchestrator"});
  std::shared_ptr<fault_board> node_board =
    std::make_shared<fault_board>(std::vector<std::string>{"node/a"});
  faults_actor central;
  faults_actor node;
};

}  // namespace

TEST_CASE("without [faults] enabled everything is refused, with a word on how to enable it") {
  faults_fixture f{false};
  const auto refused = f.inject(order_of(fault_kind::drop, "*"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == error_code::forbidden);
  CHECK(refused.error().message.find("[faults] enabled = true") != std::string::npos);
  CHECK(f.ask<fault_list>(f.central, list_faults{}).error().code == error_code::forbidden);
  CHECK(f.ask<fault_list>(f.central, clear_faults{}).error().code == error_code::forbidden);
  CHECK_FALSE(static_cast<bool>(f.context().faults));
}

TEST_CASE("a process that reports is listed, and no longer when it is silent") {
  faults_fixture f;
  auto list = f.ask<fault_list>(f.central, list_faults{});
  REQUIRE(list);
  REQUIRE(list->processes.size() == 2);
  CHECK(list->processes[1].names == std::vector<std::string>{"node/a"});
  f.kill(f.node);
  f.advance(2'000);
  list = f.ask<fault_list>(f.central, list_faults{});
  CHECK(list->processes.size() == 1);
}

TEST_CASE("a fault that lasts is put on the boards of all, told by whom it concerns, and ends") {
  faults_fixture f;
  const auto made = f.inject(order_of(fault_kind::drop, "node/*"));
  REQUIRE(made);
  CHECK(made->struck == std::vector<std::string>{"node/a"});
  CHECK(static_cast<bool>(f.context().faults));
  const auto now = runtime::clock_ns(f.sys());
  CHECK(f.central_board->active(now).size() == 1);
  CHECK(f.node_board->active(now).size() == 1);
  f.advance(1'300);
  CHECK(f.node_board->active(runtime::clock_ns(f.sys())).empty());
  CHECK_FALSE(static_cast<bool>(f.context().faults));
}

TEST_CASE("a fault that fits nobody is not found, and one with problems is refused") {
  faults_fixture f;
  CHECK(f.inject(order_of(fault_kind::drop, "node/z")).error().code == error_code::not_found);
  f.run();
  CHECK(f.central_board->active(runtime::clock_ns(f.sys())).empty());
  CHECK(f.node_board->active(runtime::clock_ns(f.sys())).empty());
  auto order = order_of(fault_kind::slow, "node/a");
  order.lasts_ms = 60'001;
  CHECK(f.inject(order).error().code == error_code::bad_input);
  CHECK(f.inject(order_of(fault_kind::kill, "agent/x")).error().code == error_code::not_found);
}

TEST_CASE("faults are ended by id or all at once, everywhere") {
  faults_fixture f;
  const auto first = f.inject(order_of(fault_kind::drop, "node/a"));
  const auto second = f.inject(order_of(fault_kind::slow, "node/a"));
  REQUIRE(second);
  const auto ended = f.ask_within<fault_list>(1'000, f.central, clear_faults{first->id});
  REQUIRE(ended);
  REQUIRE(ended->active.size() == 1);
  CHECK(ended->active[0].order.id == first->id);
  f.run();
  CHECK(f.node_board->active(runtime::clock_ns(f.sys())).size() == 1);
  CHECK(f.ask<fault_list>(f.central, clear_faults{first->id}).error().code
        == error_code::not_found);
  f.ask<fault_list>(f.central, clear_faults{});
  f.run();
  CHECK(f.node_board->active(runtime::clock_ns(f.sys())).empty());
}

TEST_CASE("an actor is killed by its name, and FAULTS itself never") {
  faults_fixture f;
  auto box = std::make_shared<inbox>();
  auto victim = f.probe(box);
  const auto name = f.context().actors.vitals(victim->id())->name;
  const auto made = f.inject(order_of(fault_kind::kill, "actor/" + name + "@orchestrator"));
  REQUIRE(made);
  CHECK(made->struck == std::vector<std::string>{"actor/" + name + "@orchestrator"});
  f.run();
  CHECK_FALSE(f.is_alive(victim));
  CHECK_FALSE(f.inject(order_of(fault_kind::kill, "actor/FAULTS@orchestrator")).has_value());
  CHECK(f.is_alive(f.central));
}
