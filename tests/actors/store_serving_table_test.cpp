// The serving table alone: what changes while a model is on its way.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "actors/store/serving_table.hpp"

using namespace dim;
using namespace dim::actors;
using runtime::error_code;

namespace {

/// A version of "echo", whose policy serves the highest.
model_entry echo(const std::string& version) {
  model_entry entry{"echo", version, "file " + version, 1, 0, {}};
  entry.spec.name = "echo";
  entry.spec.kind = models::model_kind::identity;
  entry.spec.inputs = {{"x", models::datatype::fp32, {4}, {}}};
  entry.spec.outputs = {{"y", models::datatype::fp32, {4}, {}}};
  return entry;
}

const std::string other_config = R"({"max_batch_size": 4})";

std::vector<std::string> versions_of(const std::vector<model_entry>& entries) {
  std::vector<std::string> result;
  for (auto& entry : entries)
    result.push_back(entry.version);
  return result;
}

}  // namespace

TEST_CASE("an alias can not stand for a model whose agents are ending for good") {
  serving_table table;
  const auto plan = table.plan_sent("echo", {echo("1")});
  REQUIRE(plan);
  table.begin_load(*plan);
  CHECK(table.finish_load(*plan).empty());
  const auto unloaded = table.begin_unload("echo", "", false);
  REQUIRE(unloaded);
  for (auto* version : {"1", ""}) {
    const auto refused = table.plan_alias("stable", {"echo", version});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == error_code::model_not_found);
    CHECK_FALSE(table.set_alias("stable", {"echo", version}));
  }
  CHECK(table.finish_unload(*unloaded).empty());
  CHECK_FALSE(table.find("echo"));
}

TEST_CASE("a load fails when what it was to bring has been removed meanwhile") {
  serving_table table;
  CHECK(table.refresh({echo("1")}).empty());
  const auto plan = table.plan_load("echo", "", other_config);
  REQUIRE(plan);
  table.begin_load(*plan);
  CHECK(table.is_still_there(*plan));
  CHECK(versions_of(table.refresh({})) == std::vector<std::string>{"1"});
  CHECK_FALSE(table.is_still_there(*plan));
  // The load has made agents of its own.
  const auto gone = table.fail_load(*plan, "removed");
  REQUIRE(gone.size() == 1);
  CHECK(gone[0].revision == plan->revision);
}

TEST_CASE("of a load whose versions are partly removed meanwhile the others are served") {
  serving_table table;
  auto all = std::vector{echo("1"), echo("2")};
  for (auto& entry : all)
    entry.spec.served.choice = models::version_choice::all;
  table.refresh(all);
  const auto plan = table.plan_load("echo", "", other_config);
  REQUIRE(plan);
  table.begin_load(*plan);
  table.refresh({all[0]});
  CHECK(table.is_still_there(*plan));
  const auto gone = table.refresh({all[0]}, table.finish_load(*plan));
  CHECK(table.is_served(plan->versions[0]));
  CHECK(versions_of(gone) == std::vector<std::string>{"1", "2"});
  CHECK(gone[0].revision != plan->revision);
  CHECK(gone[1].revision == plan->revision);
}

TEST_CASE("a version that has come during a load keeps its agents when the policy chooses it") {
  serving_table table;
  table.refresh({echo("1")});
  const auto plan = table.plan_load("echo", "", "");
  REQUIRE(plan);
  table.begin_load(*plan);
  const std::vector both{echo("1"), echo("2")};
  CHECK(versions_of(table.refresh(both)) == std::vector<std::string>{"1"});
  const auto gone = table.refresh(both, table.finish_load(*plan));
  CHECK(versions_of(gone) == std::vector<std::string>{"1"});
  const auto* served = table.entry("echo", "2");
  REQUIRE(served != nullptr);
  CHECK(table.is_served(*served));
}

TEST_CASE("a step's model that somebody else has loaded during an ensemble's load stays as it is") {
  serving_table table;
  model_entry ensemble = echo("1");
  ensemble.name = ensemble.spec.name = "whole";
  ensemble.spec.kind = models::model_kind::ensemble;
  ensemble.spec.steps = {{"echo", "", {{"x", "x"}}, {{"y", "y"}}}};
  table.refresh({echo("1"), ensemble});
  const auto unloaded = table.begin_unload("echo", "", false);
  REQUIRE(unloaded);
  table.finish_unload(*unloaded);
  const auto whole = table.plan_load("whole", "", "");
  REQUIRE(whole);
  REQUIRE(whole->companions.size() == 1);
  table.begin_load(*whole);
  const auto anew = table.plan_load("echo", "", other_config);
  REQUIRE(anew);
  table.begin_load(*anew);
  table.finish_load(*anew);
  const auto gone = table.finish_load(*whole);
  CHECK(table.is_served(anew->versions[0]));
  REQUIRE(gone.size() == 1);
  CHECK(gone[0] == whole->companions[0]);
}
