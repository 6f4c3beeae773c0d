#include <doctest/doctest.h>

#include "runtime/supervisor.hpp"
#include "tests/runtime/tree_fixture.hpp"

using namespace dim;
using namespace dim::tests;
using runtime::error_code;
using runtime::restart_strategy;

namespace {

/// A child whose start function fails with words.
runtime::child_spec broken_child(const std::string& name) {
  runtime::child_spec spec;
  spec.name = name;
  spec.start = [](caf::local_actor&) -> runtime::expected<caf::strong_actor_ptr> {
    return runtime::fail(error_code::store_corrupt, "the file is damaged");
  };
  return spec;
}

caf::behavior dies_at_once(worker_self self) {
  self->quit(runtime::to_error(error_code::store_full, "no space"));
  return {[](caf::unit_t) {}};
}

struct silent_state {
  static inline const char* name = "SILENT";
};

/// Seems never to come to its first message, because the fault below takes the question away.
caf::behavior silent_worker(runtime::actor_self<caf::actor, silent_state>) {
  return {[](caf::unit_t) {}};
}

runtime::fault_hook drops_questions_to_silent() {
  return [](const char* receiver, const caf::mailbox_element& element) {
    auto is_question = element.content().match_elements<runtime::describe_actor>();
    return is_question && std::string_view{receiver} == "SILENT" ? runtime::message_fault::drop
                                                                 : runtime::message_fault::none;
  };
}

}  // namespace

TEST_CASE("too many restarts in the window end the supervisor with the child's error") {
  tree_fixture f;
  runtime::restart_limits limits{3, 10'000, 100, 1'000};
  auto root = f.start(
    {"ROOT", restart_strategy::one_for_one, limits, {f.child("a"), f.child("b")}});
  for (int crash = 0; crash < 3; ++crash) {
    f.crash("b");
    f.advance(1'000);
    REQUIRE(f.cell("b"));
  }
  f.take_history();
  f.crash("b");
  CHECK(f.take_history() == "-b -a");
  auto reason = f.end_of(root);
  REQUIRE(reason);
  CHECK(reason->code == error_code::internal);
  CHECK(reason->message == "b ended too often: worker broke");
}

TEST_CASE("restarts that lie further apart than the window go on for ever") {
  tree_fixture f;
  runtime::restart_limits limits{3, 10'000, 100, 1'000};
  auto root = f.start({"ROOT", restart_strategy::one_for_one, limits, {f.child("b")}});
  for (int crash = 0; crash < 20; ++crash) {
    f.crash("b");
    f.advance(4'000);
  }
  CHECK(f.is_alive(root));
  CHECK(f.cell("b"));
}

TEST_CASE("the pause grows with each crash, and is small again after a quiet window") {
  tree_fixture f;
  runtime::restart_limits limits{100, 10'000, 100, 100'000};
  auto root = f.start({"ROOT", restart_strategy::one_for_one, limits, {f.child("b")}});
  auto pause_after_crash = [&f] {
    f.crash("b");
    auto before = f.now_ms();
    while (!f.cell("b"))
      f.advance(1);
    return f.now_ms() - before;
  };
  std::int64_t whole = 100;
  for (int crash = 0; crash < 5; ++crash, whole *= 2) {
    auto pause = pause_after_crash();
    CHECK(pause >= whole / 2);
    CHECK(pause <= whole + 1);
  }
  f.advance(10'000);
  CHECK(pause_after_crash() <= 101);
}

TEST_CASE("an inner supervisor that gives up is restarted by the outer one") {
  tree_fixture f;
  runtime::supervisor_spec inner{
    "INNER", restart_strategy::one_for_one, {1, 10'000, 100, 1'000}, {f.child("x")}};
  auto root = f.start({"ROOT",
                       restart_strategy::one_for_one,
                       {},
                       {f.child("a"), runtime::make_supervisor_child(inner)}});
  f.crash("x");
  f.advance(1'000);
  f.take_history();
  f.crash("x");
  CHECK(f.take_history() == "-x");
  f.advance(1'000);
  CHECK(f.take_history() == "+x");
  auto status = f.ask<runtime::tree_status>(root, runtime::get_tree{});
  CHECK(status->children[1].restarts == 1);
  CHECK(status->children[1].stage == "up");
}

TEST_CASE("a first start that fails stops what runs and tells why") {
  tree_fixture f;
  auto root = f.start({"ROOT",
                       restart_strategy::rest_for_one,
                       {},
                       {f.child("a"), broken_child("STORE"), f.child("b")}});
  CHECK(f.take_history() == "+a -a");
  auto reason = f.end_of(root);
  REQUIRE(reason);
  CHECK(reason->code == error_code::store_corrupt);
  CHECK(reason->message == "STORE did not start: the file is damaged");
}

TEST_CASE("a child that ends while it starts is a failed start") {
  tree_fixture f;
  auto root = f.start({"ROOT",
                       restart_strategy::rest_for_one,
                       {},
                       {f.child("a"), f.child_of("STORE", dies_at_once)}});
  auto reason = f.end_of(root);
  REQUIRE(reason);
  CHECK(reason->code == error_code::store_full);
  CHECK(f.count_actors("WORKER") == 0);
}

TEST_CASE("a child that does not answer within its start timeout is killed and counts as failed") {
  tree_fixture f;
  f.context().faults = drops_questions_to_silent();
  auto slow = f.child_of("slow", silent_worker);
  slow.start_timeout_ms = 2'000;
  auto root = f.start({"ROOT", restart_strategy::one_for_one, {}, {slow}});
  f.advance(1'999);
  CHECK(f.is_alive(root));
  f.advance(1);
  auto reason = f.end_of(root);
  REQUIRE(reason);
  CHECK(reason->code == error_code::timeout);
  CHECK(reason->message == "slow did not start: did not start within 2000 ms");
}

TEST_CASE("await_tree fails when the tree is stopped while it starts") {
  tree_fixture f;
  f.context().faults = drops_questions_to_silent();
  auto root = f.start({"ROOT",
                       restart_strategy::one_for_one,
                       {},
                       {f.child("a"), f.child_of("slow", silent_worker)}});
  auto awaited = f.request<runtime::tree_status>(root, runtime::await_tree{});
  f.run();
  f.ask_within<runtime::tree_status>(5'000, root, runtime::stop_tree{});
  REQUIRE(awaited->has_value());
  CHECK((**awaited).error().code == error_code::cancelled);
  CHECK(f.count_actors("WORKER") == 0);
}

TEST_CASE("with threads, a tree starts, tells why it can not, and stops") {
  runtime::system_config config;
  config.add_message_types<caf::id_block::dim_runtime_tests>();
  caf::actor_system system{config};
  runtime::service<caf::actor> cell;
  auto child = runtime::make_child("a", cell, [](caf::local_actor& parent) {
    return parent.spawn(worker);
  });
  auto root = runtime::start_supervisor(
    system, {"ROOT", restart_strategy::one_for_one, {}, {child}}, 30'000);
  REQUIRE(root);
  CHECK(cell.get());
  CHECK(runtime::stop_supervisor(system, *root, 30'000));
  CHECK_FALSE(cell.get());
  auto failed = runtime::start_supervisor(
    system, {"ROOT", restart_strategy::one_for_one, {}, {child, broken_child("STORE")}}, 30'000);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == error_code::store_corrupt);
}
