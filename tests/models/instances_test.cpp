#include "models/instances.hpp"

#include <doctest/doctest.h>

using namespace dim::models;

namespace {

constexpr auto cpu = std::nullopt;
using groups = std::vector<instance_group>;

}  // namespace

TEST_CASE("without groups a model has one worker, on GPUs where the node has some") {
  CHECK(instances_on({}, cpu, false) == 1);
  CHECK(instances_on({}, cpu, true) == 0);
  CHECK(instances_on({}, 3, true) == 1);
  CHECK(most_instances({}) == 1);
  CHECK(most_instances_on_gpu({}) == 1);
}

TEST_CASE("groups of several kinds say for each device how many workers it has") {
  const groups some{{2, instance_kind::gpu, {0}}, {1, instance_kind::gpu, {0, 1}},
                    {4, instance_kind::cpu, {}}};
  CHECK(instances_on(some, 0, true) == 3);
  CHECK(instances_on(some, 1, true) == 1);
  CHECK(instances_on(some, 2, true) == 0);
  CHECK(instances_on(some, cpu, true) == 4);
  CHECK(instances_on(some, cpu, false) == 4);
  CHECK(most_instances(some) == 4);
  CHECK(most_instances_on_gpu(some) == 3);
}

TEST_CASE("a group that may run anywhere adds to the others of that device") {
  const groups some{{2, instance_kind::automatic, {}},
                    {1, instance_kind::cpu, {}},
                    {5, instance_kind::gpu, {7}}};
  CHECK(instances_on(some, cpu, false) == 3);
  CHECK(instances_on(some, cpu, true) == 1);
  CHECK(instances_on(some, 0, true) == 2);
  CHECK(instances_on(some, 7, true) == 7);
  CHECK(most_instances(some) == 7);
}

TEST_CASE("a model for processors alone needs nothing of a GPU") {
  const groups some{{8, instance_kind::cpu, {}}};
  CHECK(most_instances_on_gpu(some) == 0);
  CHECK(most_instances(some) == 8);
}
