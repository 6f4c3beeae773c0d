#include <doctest/doctest.h>

#include "tests/actors/router_fixture.hpp"

using namespace dim;
using namespace dim::actors;
using namespace dim::tests;

namespace {

/// An ensemble "whole" of two steps, both of the model "m": the second takes the first's "y".
served_version whole() {
  model_entry entry{"whole", "1", "whole1", 10, 0, {}, 0};
  entry.spec.name = "whole";
  entry.spec.kind = models::model_kind::ensemble;
  entry.spec.max_batch_size = 8;
  entry.spec.inputs = {{"in", models::datatype::fp32, {2}, {}}};
  entry.spec.outputs = {{"out", models::datatype::fp32, {2}, {}},
                        {"side", models::datatype::fp32, {2}, {}}};
  entry.spec.steps = {{"m", "1", {{"x", "in"}}, {{"y", "middle"}, {"z", "side"}}},
                      {"m", "2", {{"x", "middle"}}, {{"y", "out"}}}};
  return {entry, serving_state::ready, {}};
}

run_inference whole_request(const std::string& id) {
  auto request = router_fixture::request_of(id);
  request.model = "whole";
  request.inputs[0].name = "in";
  return request;
}

struct local_fixture : router_fixture {
  explicit local_fixture(bool caches = false) {
    catalogue.versions.push_back(whole());
    if (caches) {
      arguments.cache_bytes = 1 << 20;
      for (served_version& each : catalogue.versions)
        each.model.spec.response_cache = each.model.name == "m";
    }
    start();
  }
};

}  // namespace

TEST_CASE("an ensemble's steps run one after the other, and their outputs go on under new names") {
  local_fixture f;
  auto& node = f.add_node("n1");
  const auto reply = f.infer(whole_request("r"));
  REQUIRE_MESSAGE(reply.error.code == error_code::none, reply.error.message);
  REQUIRE(node.orders.size() == 2);
  CHECK(node.orders[0].version == "1");
  CHECK(node.orders[0].inputs.at(0).name == "x");
  CHECK(node.orders[1].version == "2");
  CHECK(node.orders[1].inputs.at(0).name == "x");
  REQUIRE(reply.outputs.size() == 2);
  CHECK(reply.outputs[0].name == "out");
  CHECK(reply.outputs[1].name == "side");
  CHECK(reply.model == "whole");
  CHECK(reply.node_id.empty());
  CHECK(reply.times.forward_ns == 6'000);
  auto only = whole_request("s");
  only.outputs = {"side"};
  CHECK(f.infer(only).outputs.size() == 1);
  const auto counted = f.ask<model_statistics_list>(f.router, get_model_statistics{"whole", ""});
  CHECK(counted->models.at(0).success.count == 2);
  CHECK(f.statistics("1").success.count == 2);
}

TEST_CASE("what is left out of an ensemble's request must be optional in the step that takes it") {
  local_fixture f;
  auto& node = f.add_node("n1");
  auto versions = f.catalogue.versions;
  auto& ensemble = versions.back().model.spec;
  ensemble.inputs.push_back({"mask", models::datatype::fp32, {2}, {}, true});
  ensemble.steps[0].inputs["mask"] = "mask";
  auto& first = versions.front().model;
  REQUIRE(first.version == "1");
  first.spec.inputs.push_back({"mask", models::datatype::fp32, {2}, {}});
  f.send(f.router, served_models{2, versions, {}});
  const auto refused = f.infer(whole_request("r"));
  CHECK(refused.error.code == error_code::bad_input);
  CHECK(refused.error.message.starts_with("in ensemble 'whole', expected 2 inputs but got 1"));
  CHECK(node.orders.empty());
  first.spec.inputs.back().is_optional = true;
  f.send(f.router, served_models{3, versions, {}});
  const auto reply = f.infer(whole_request("s"));
  REQUIRE_MESSAGE(reply.error.code == error_code::none, reply.error.message);
  CHECK(reply.outputs.size() == 2);
  REQUIRE(node.orders.size() == 2);
  CHECK(node.orders[0].inputs.size() == 1);
  auto whole = whole_request("t");
  whole.inputs.push_back(whole.inputs[0]);
  whole.inputs[1].name = "mask";
  CHECK(f.infer(whole).error.code == error_code::none);
  CHECK(node.orders.at(2).inputs.size() == 2);
}

TEST_CASE("an answer of an ensemble that lacks an output is not kept, and not given as one") {
  local_fixture f(true);
  auto& node = f.add_node("n1");
  auto versions = f.catalogue.versions;
  versions[0].model.spec.response_cache = versions[1].model.spec.response_cache = false;
  auto& ensemble = versions.back().model.spec;
  ensemble.response_cache = true;
  ensemble.inputs.push_back({"mask", models::datatype::fp32, {2}, {}, true});
  ensemble.steps[0].inputs["mask"] = "mask";
  ensemble.steps[0].outputs["gone"] = "side";
  ensemble.steps[0].outputs.erase("z");
  versions.front().model.spec.inputs.push_back({"mask", models::datatype::fp32, {2}, {}, true});
  f.send(f.router, served_models{2, versions, {}});
  for (int number = 0; number < 2; ++number) {
    const auto reply = f.infer(whole_request("r"));
    REQUIRE_MESSAGE(reply.error.code == error_code::none, reply.error.message);
    REQUIRE(reply.outputs.size() == 1);
    CHECK(reply.outputs[0].name == "out");
    CHECK_FALSE(reply.from_cache);
  }
  CHECK(node.orders.size() == 4);
  auto other = whole_request("s");
  other.outputs = {"side"};
  const auto refused = f.infer(other);
  CHECK(refused.error.code == error_code::bad_input);
  CHECK(refused.error.message.ends_with("the output 'side' needs inputs that are left out"));
}

TEST_CASE("an ensemble whose step fails fails with the step's words") {
  local_fixture f;
  f.add_node("n1").fails_with = error_code::bad_model;
  const auto reply = f.infer(whole_request("r"));
  CHECK(reply.error.code == error_code::bad_model);
  CHECK(reply.error.message.starts_with("in ensemble 'whole', "));
}

TEST_CASE("an ensemble whose caller is gone withdraws the step that runs") {
  local_fixture f;
  auto& node = f.add_node("n1");
  node.holds = true;
  const auto reply = f.begin(whole_request("r"));
  REQUIRE(node.orders.size() == 1);
  f.send(f.router, withdraw_inference{"r"});
  CHECK(f.code_of(reply) == error_code::cancelled);
  REQUIRE(node.withdrawn.size() == 1);
  CHECK(node.withdrawn[0].request_id == node.orders[0].request_id);
}

TEST_CASE("an ensemble's steps share its deadline") {
  local_fixture f;
  f.add_node("n1").holds = true;
  const auto reply = f.begin(whole_request("r"));
  f.advance(11'000);
  CHECK(f.code_of(reply) == error_code::timeout);
}

TEST_CASE("an answer that is kept is given again without a node, and counted apart") {
  local_fixture f(true);
  auto& node = f.add_node("n1");
  const auto first = f.infer(router_fixture::request_of("a"));
  auto again = router_fixture::request_of("b");
  again.outputs = {"z"};
  const auto second = f.infer(again);
  CHECK_FALSE(first.from_cache);
  CHECK(second.from_cache);
  CHECK(node.orders.size() == 1);
  REQUIRE(second.outputs.size() == 1);
  CHECK(second.outputs[0] == first.outputs[1]);
  auto other = router_fixture::request_of("c");
  other.inputs[0] = models::make_tensor("x", models::datatype::fp32, {1, 2},
                                        std::vector<char>(8, 'x'));
  CHECK_FALSE(f.infer(other).from_cache);
  const auto counted = f.statistics("2");
  CHECK(counted.cache_hit.count == 1);
  CHECK(counted.cache_miss.count == 2);
  CHECK(counted.success.count == 3);
  CHECK(counted.inference_count == 2);
}

TEST_CASE("failures are not kept") {
  local_fixture f(true);
  auto& node = f.add_node("n1");
  node.fails_with = error_code::bad_model;
  CHECK(f.infer(router_fixture::request_of("a")).error.code == error_code::bad_model);
  node.fails_with = error_code::none;
  CHECK_FALSE(f.infer(router_fixture::request_of("b")).from_cache);
  // Neither was known.
  CHECK(f.statistics("2").cache_miss.count == 2);
  CHECK(f.infer(router_fixture::request_of("c")).from_cache);
}

TEST_CASE("a kept answer of an ensemble is that of the versions its steps go to now") {
  local_fixture f(true);
  for (served_version& each : f.catalogue.versions)
    each.model.spec.response_cache = each.model.name == "whole";
  ++f.catalogue.revision;
  f.send(f.router, f.catalogue);
  auto& node = f.add_node("n1");
  CHECK_FALSE(f.infer(whole_request("a")).from_cache);
  CHECK(f.infer(whole_request("b")).from_cache);
  CHECK(node.orders.size() == 2);
  f.catalogue.versions.at(1).model.digest = "another file";
  ++f.catalogue.revision;
  f.send(f.router, f.catalogue);
  CHECK_FALSE(f.infer(whole_request("c")).from_cache);
  CHECK(node.orders.size() == 4);
}

TEST_CASE("an answer of versions that changed meanwhile is not kept") {
  local_fixture f(true);
  auto& node = f.add_node("n1");
  node.holds = true;
  for (served_version& each : f.catalogue.versions)
    each.model.spec.response_cache = each.model.name == "whole";
  ++f.catalogue.revision;
  f.send(f.router, f.catalogue);
  const auto first = f.begin(whole_request("a"));
  const auto before = f.catalogue;
  f.catalogue.versions.at(1).model.digest = "another file";
  ++f.catalogue.revision;
  f.send(f.router, f.catalogue);
  node.holds = false;
  f.answer("n1");
  CHECK(f.code_of(first) == error_code::none);
  f.catalogue.versions = before.versions;
  ++f.catalogue.revision;
  f.send(f.router, f.catalogue);
  CHECK_FALSE(f.infer(whole_request("b")).from_cache);
}

TEST_CASE("statistics of an ensemble count its runs, and come with those of its models") {
  local_fixture f;
  f.add_node("n1");
  f.infer(whole_request("a"));
  const auto list = f.ask<model_statistics_list>(f.router, get_model_statistics{"whole", ""});
  REQUIRE(list);
  REQUIRE(list->models.size() == 3);
  CHECK(list->models[0].model == "whole");
  CHECK(list->models[0].inference_count == 1);
  CHECK(list->models[0].execution_count == 1);
  CHECK(list->models[1].version == "1");
  CHECK(list->models[2].version == "2");
  CHECK(f.ask<model_statistics_list>(f.router, get_model_statistics{"", ""})->models.size() == 3);
}
