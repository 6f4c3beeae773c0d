#include "runtime/supervisor.hpp"

#include <doctest/doctest.h>

#include "tests/runtime/tree_fixture.hpp"

using namespace dim;
using namespace dim::tests;
using runtime::restart_kind;
using runtime::restart_strategy;

namespace {

runtime::supervisor_spec three(tree_fixture& f, restart_strategy strategy) {
  return {"ROOT", strategy, {}, {f.child("a"), f.child("b"), f.child("c")}};
}

}  // namespace

TEST_CASE("children start in order, and await_tree replies when all run") {
  tree_fixture f;
  auto root = f.start(three(f, restart_strategy::one_for_one));
  auto status = f.ask<runtime::tree_status>(root, runtime::await_tree{});
  REQUIRE(status);
  CHECK(status->name == "ROOT");
  REQUIRE(status->children.size() == 3);
  for (auto& child : status->children)
    CHECK(child.stage == "up");
  CHECK(f.take_history() == "+a +b +c");
  CHECK(status->children[1].actor_id == f.cell("b").id());
}

TEST_CASE("children are in the table below their supervisor, which has its own name there") {
  tree_fixture f;
  auto root = f.start(three(f, restart_strategy::one_for_one));
  CHECK(f.count_actors("ROOT") == 1);
  for (auto& line : f.context().actors.lines())
    if (line.name == "WORKER")
      CHECK(line.parent == root.id());
}

TEST_CASE("one_for_one restarts the child that crashed, after the back-off, and no other") {
  tree_fixture f;
  auto root = f.start(three(f, restart_strategy::one_for_one));
  f.take_history();
  f.crash("b");
  CHECK(f.take_history() == "-b");
  CHECK_FALSE(f.cell("b"));
  f.advance(49);
  CHECK(f.take_history().empty());
  f.advance(51);
  CHECK(f.take_history() == "+b");
  CHECK(f.is_alive(f.cell("b")));
  auto status = f.ask<runtime::tree_status>(root, runtime::get_tree{});
  CHECK(status->children[1].restarts == 1);
  CHECK(status->children[0].restarts == 0);
}

TEST_CASE("one_for_all stops the others in reverse order and starts all in order") {
  tree_fixture f;
  auto root = f.start(three(f, restart_strategy::one_for_all));
  f.take_history();
  f.crash("b");
  f.advance(100);
  CHECK(f.take_history() == "-b -c -a +a +b +c");
}

TEST_CASE("rest_for_one restarts the child and those that were started after it") {
  tree_fixture f;
  auto root = f.start(three(f, restart_strategy::rest_for_one));
  f.take_history();
  f.crash("b");
  f.advance(100);
  CHECK(f.take_history() == "-b -c +b +c");
  f.crash("c");
  f.advance(200);
  CHECK(f.take_history() == "-c +c");
}

TEST_CASE("a second crash during the back-off is mended in the same order") {
  tree_fixture f;
  auto root = f.start(three(f, restart_strategy::rest_for_one));
  f.take_history();
  f.crash("c");
  f.crash("a");
  f.advance(300);
  CHECK(f.take_history() == "-c -a -b +a +b +c");
  auto status = f.ask<runtime::tree_status>(root, runtime::get_tree{});
  for (auto& child : status->children)
    CHECK(child.stage == "up");
}

TEST_CASE("a normal end restarts a permanent child, not a transient or temporary one") {
  tree_fixture f;
  auto root = f.start({"ROOT",
                       restart_strategy::one_for_one,
                       {},
                       {f.child("p"), f.child("t", restart_kind::transient),
                        f.child("x", restart_kind::temporary)}});
  f.take_history();
  for (auto name : {"p", "t", "x"})
    f.send(f.cell(name), add_number{0});
  f.advance(1000);
  CHECK(f.take_history() == "-p -t -x +p");
  auto status = f.ask<runtime::tree_status>(root, runtime::get_tree{});
  CHECK(status->children[1].stage == "down");
}

TEST_CASE("a transient child that crashed is restarted, a temporary one is not") {
  tree_fixture f;
  auto root = f.start({"ROOT",
                       restart_strategy::one_for_all,
                       {},
                       {f.child("t", restart_kind::transient),
                        f.child("x", restart_kind::temporary)}});
  f.take_history();
  f.crash("x");
  f.advance(1000);
  CHECK(f.take_history() == "-x");
  f.crash("t");
  f.advance(1000);
  CHECK(f.take_history() == "-t +t");
}

TEST_CASE("stop_tree stops in reverse order, replies, and ends the supervisor normally") {
  tree_fixture f;
  auto root = f.start(three(f, restart_strategy::one_for_one));
  f.take_history();
  auto status = f.ask<runtime::tree_status>(root, runtime::stop_tree{});
  REQUIRE(status);
  CHECK(f.take_history() == "-c -b -a");
  CHECK(status->children[0].stage == "down");
  CHECK(f.end_of(root)->code == runtime::error_code::none);
  CHECK(f.context().actors.lines().empty());
  f.advance(60'000);
  CHECK(f.timers() == 0);
}

TEST_CASE("a child that does not end within its grace is killed, the others wait for it") {
  tree_fixture f;
  auto root = f.start({"ROOT",
                       restart_strategy::one_for_one,
                       {},
                       {f.child("a"), f.child_of("stubborn", stubborn_worker)}});
  f.take_history();
  auto stopped = f.request<runtime::tree_status>(root, runtime::stop_tree{});
  f.advance(999);
  CHECK(f.take_history().empty());
  f.advance(1);
  CHECK(f.take_history() == "-stubborn -a");
  CHECK(stopped->has_value());
}

TEST_CASE("an exit message stops the tree in order, a kill takes the children along") {
  tree_fixture f;
  auto root = f.start(three(f, restart_strategy::one_for_one));
  f.take_history();
  f.kill(root, caf::exit_reason::user_shutdown);
  CHECK(f.take_history() == "-c -b -a");
  auto other = f.start(three(f, restart_strategy::one_for_one));
  CHECK(f.count_actors("WORKER") == 3);
  f.kill(other, caf::exit_reason::kill);
  CHECK(f.count_actors("WORKER") == 0);
}

TEST_CASE("nested supervisors start inside out and stop outside in") {
  tree_fixture f;
  runtime::supervisor_spec inner{
    "INNER", restart_strategy::one_for_one, {}, {f.child("x"), f.child("y")}};
  auto root = f.start({"ROOT",
                       restart_strategy::rest_for_one,
                       {},
                       {f.child("a"), runtime::make_supervisor_child(inner), f.child("b")}});
  REQUIRE(f.ask<runtime::tree_status>(root, runtime::await_tree{}));
  CHECK(f.take_history() == "+a +x +y +b");
  f.crash("x");
  f.advance(100);
  CHECK(f.take_history() == "-x +x");
  f.ask<runtime::tree_status>(root, runtime::stop_tree{});
  CHECK(f.take_history() == "-b -y -x -a");
}

TEST_CASE("a supervisor describes its children to the shell") {
  tree_fixture f;
  auto root = f.start(three(f, restart_strategy::one_for_one));
  f.crash("b");
  f.advance(100);
  auto words = f.ask<runtime::actor_description>(caf::actor_cast<caf::actor>(root),
                                                 runtime::describe_actor{});
  REQUIRE(words);
  CHECK(words->state == "a up, b up (1 restarts), c up");
}
