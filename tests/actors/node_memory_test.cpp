#include <caf/all.hpp>
#include <doctest/doctest.h>

#include "actors/node/node_tree.hpp"
#include "actors/type_ids.hpp"

using namespace dim;

TEST_CASE("a node never tells that more of its memory is in use than it offers") {
  const runtime::memory_facts machine{1'000, 300};
  CHECK(actors::memory_in_use(machine, 1'000) == 700);
  CHECK(actors::memory_in_use(machine, 400) == 100);
  CHECK(actors::memory_in_use(machine, 300) == 0);
  CHECK(actors::memory_in_use(machine, 200) == 0);
}

TEST_CASE("where the machine's memory can not be read, none of it is told to be in use") {
  CHECK(actors::memory_in_use({}, 1'000) == 0);
}
