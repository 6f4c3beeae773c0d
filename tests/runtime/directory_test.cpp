#include "runtime/directory.hpp"

#include <doctest/doctest.h>

#include "runtime/supervisor.hpp"
#include "tests/runtime/tree_fixture.hpp"

using namespace dim;
using namespace dim::tests;
using runtime::error_code;

namespace {

const runtime::actor_info* find(const runtime::actor_list& list, const std::string& name) {
  for (auto& each : list.actors)
    if (each.name == name)
      return &each;
  return nullptr;
}

}  // namespace

TEST_CASE("the tree puts each actor behind its parent, and orphans at the top") {
  auto line = [](std::uint64_t id, std::uint64_t parent) {
    runtime::actor_line result;
    result.id = id;
    result.parent = parent;
    return result;
  };
  auto tree = runtime::arrange_tree({line(1, 0), line(2, 1), line(3, 1), line(4, 2), line(5, 99)});
  std::string order;
  for (auto& [depth, each] : tree)
    order += std::string(depth, '.') + std::to_string(each.id) + " ";
  CHECK(order == "1 .2 ..4 .3 5 ");
  CHECK(tree[4].second.parent == 0);
}

TEST_CASE("the directory lists every actor below its supervisor, itself included") {
  tree_fixture f;
  runtime::service<runtime::directory_actor> cell;
  auto root = f.start(
    {"ROOT",
     runtime::restart_strategy::one_for_one,
     {},
     {runtime::make_child(
        "DIRECTORY", cell,
        [](caf::local_actor& parent) { return parent.spawn(runtime::directory); }),
      f.child("a")}});
  f.advance(2'500);
  auto list = f.ask<runtime::actor_list>(cell.get(), runtime::list_actors{});
  REQUIRE(list);
  REQUIRE(list->actors.size() == 3);
  CHECK(list->actors[0].name == "ROOT");
  CHECK(list->actors[0].depth == 0);
  CHECK(list->actors[1].name == "DIRECTORY");
  CHECK(list->actors[1].depth == 1);
  CHECK(list->actors[1].busy_with == "list_actors");
  auto* worker = find(*list, "WORKER");
  REQUIRE(worker != nullptr);
  CHECK(worker->parent == root.id());
  CHECK(worker->age_ms == 2'500);
  CHECK(worker->busy_with.empty());
}

TEST_CASE("an actor is inspected with its own words and its last messages") {
  sum_fixture f;
  auto directory = f.sys().spawn(runtime::directory);
  auto target = f.sys().spawn(sum);
  f.send(target, add_number{8});
  f.advance(1'000);
  auto details = f.ask<runtime::actor_details>(directory, runtime::inspect_actor{target->id()});
  REQUIRE(details);
  CHECK(details->answered);
  CHECK(details->state == "sum=8");
  CHECK(details->info.handled == 1);
  REQUIRE(details->trace.size() == 1);
  CHECK(details->trace[0] == runtime::handled_message{"add_number", 1'000});
}

TEST_CASE("an actor that does not come to the question is shown without its words") {
  sum_fixture f;
  auto directory = f.sys().spawn(runtime::directory);
  auto target = f.sys().spawn(sum);
  f.run();
  f.context().faults = [](const char* receiver, const caf::mailbox_element&) {
    return std::string_view{receiver} == "SUM" ? runtime::message_fault::drop
                                               : runtime::message_fault::none;
  };
  auto details = f.ask_within<runtime::actor_details>(1'000, directory,
                                                      runtime::inspect_actor{target->id()});
  REQUIRE(details);
  CHECK_FALSE(details->answered);
  CHECK(details->info.name == "SUM");
  CHECK(f.now_ms() == 1'000);
}

TEST_CASE("an unknown id is not found") {
  sum_fixture f;
  auto directory = f.sys().spawn(runtime::directory);
  auto details = f.ask<runtime::actor_details>(directory, runtime::inspect_actor{999'999});
  REQUIRE_FALSE(details);
  CHECK(details.error().code == error_code::not_found);
}
