// Models in service over HTTP: uploaded, loaded, unloaded, and run by whatever nodes are there.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>

#include "tests/cluster/local_cluster.hpp"

using namespace dim;
using nlohmann::json;
using tests::local_cluster;

namespace {

json inference_of(const tests::digit& digit) {
  return {{"inputs", json::array({tests::digit_input(digit.pixels)})}};
}

/// The digit that the answer's scores speak for; -1 when there is no answer.
int label_in(const tests::reply& reply) {
  if (reply.status != 200)
    return -1;
  const auto scores = reply.body.at("outputs").at(0).at("data").get<std::vector<double>>();
  return static_cast<int>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

void write_model(const local_cluster& cluster, const std::string& name, const std::string& config) {
  const auto place = cluster.folder() / "orchestrator" / "models" / name;
  std::filesystem::create_directories(place / "1");
  std::ofstream(place / "config.pbtxt") << config;
}

const std::string adder = R"(
backend: "add_sub"
max_batch_size: 8
input [ { name: "INPUT0" data_type: TYPE_INT32 dims: [ 2 ] },
        { name: "INPUT1" data_type: TYPE_INT32 dims: [ 2 ] } ]
output [ { name: "OUTPUT0" data_type: TYPE_INT32 dims: [ 2 ] },
         { name: "OUTPUT1" data_type: TYPE_INT32 dims: [ 2 ] } ]
parameters { key: "isolation" value { string_value: "thread" } }
)";

json adder_request() {
  return {{"inputs",
           {{{"name", "INPUT0"}, {"datatype", "INT32"}, {"shape", {1, 2}}, {"data", {7, 8}}},
            {{"name", "INPUT1"}, {"datatype", "INT32"}, {"shape", {1, 2}}, {"data", {1, 2}}}}}};
}

}  // namespace

TEST_CASE("an uploaded model answers rightly, and goes on when a worker joins and one is lost") {
  local_cluster cluster{2};
  cluster.node(1).kill();
  cluster.push_samples({"digits-mlp"});
  for (const tests::digit& each : tests::sample_digits())
    CHECK(label_in(cluster.post("/api/v1/inference/digits-mlp", inference_of(each)))
          == each.label);
  cluster.start_node(1);
  cluster.wait_until("both nodes are online", [&] { return cluster.nodes_online() == 2; });
  cluster.node(0).kill();
  const auto& digit = tests::sample_digits().front();
  cluster.wait_until("the other node answers", [&] {
    return label_in(cluster.post("/api/v1/inference/digits-mlp", inference_of(digit)))
           == digit.label;
  });
  CHECK(cluster.get("/v2/models/digits-mlp/ready").status == 200);
}

TEST_CASE("a model put into the repository by hand is loaded, answers, and is unloaded") {
  local_cluster cluster{1};
  write_model(cluster, "adder", adder);
  CHECK(cluster.get("/v2/models/adder/ready").status != 200);
  const auto loaded = cluster.post("/v2/repository/models/adder/load", json::object());
  REQUIRE_MESSAGE(loaded.status == 200, loaded.body.dump());
  const auto answer = cluster.post("/v2/models/adder/infer", adder_request());
  REQUIRE_MESSAGE(answer.status == 200, answer.body.dump());
  CHECK(answer.body.at("outputs").at(0).at("data") == json{8, 10});
  CHECK(answer.body.at("outputs").at(1).at("data") == json{6, 6});
  CHECK(cluster.post("/v2/repository/models/adder/unload", json::object()).status == 200);
  CHECK(cluster.get("/v2/models/adder/ready").status != 200);
  CHECK(cluster.post("/v2/models/adder/infer", adder_request()).status == 503);
  const auto unknown = cluster.post("/v2/repository/models/none/load", json::object());
  CHECK(unknown.body.dump().find("failed to load") != std::string::npos);
}
