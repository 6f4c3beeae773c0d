// Every pattern over real processes and real models.
#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <set>

#include "tests/cluster/local_cluster.hpp"

using namespace dim;
using nlohmann::json;
using tests::local_cluster;

namespace {

local_cluster& cluster() {
  static local_cluster result{3};
  static const bool pushed = [] {
    result.push_samples({"digits-linear", "digits-mlp", "digits-cnn", "standardize", "risk"});
    return true;
  }();
  CHECK(pushed);
  return result;
}

const tests::digit& digit() {
  return tests::sample_digits().front();
}

std::size_t argmax(const json& output) {
  auto data = output.at("data").get<std::vector<double>>();
  return std::size_t(std::max_element(data.begin(), data.end()) - data.begin());
}

std::string reason(const json& job) {
  return job.value("error", json{}).dump();
}

}  // namespace

TEST_CASE("a single job answers with the model's output, and its history tells its way") {
  auto id = cluster().submit({{"name", "one"},
                              {"pattern", "single"},
                              {"model", "digits-mlp"},
                              {"inputs", json::array({tests::digit_input(digit().pixels)})}});
  auto job = cluster().finish(id);
  INFO(reason(job));
  REQUIRE(job["status"] == "completed");
  CHECK(argmax(job["result"]["outputs"][0]) == std::size_t(digit().label));
  auto executions = cluster().get("/api/v1/jobs/" + id + "/executions").body;
  REQUIRE(executions["executions"].size() == 1);
  CHECK(executions["executions"][0]["status"] == "completed");
  CHECK(executions["executions"][0]["result_hash"].get<std::string>().size() == 64);
  std::set<std::string> kinds;
  auto history = cluster().get("/api/v1/jobs/" + id + "/history").body;
  for (auto& event : history["events"])
    kinds.insert(event["kind"].get<std::string>());
  for (auto kind : {"job_submitted", "execution_scheduled", "execution_started",
                    "execution_completed", "job_completed"})
    CHECK_MESSAGE(kinds.contains(kind), kind);
  auto placement = cluster().get("/api/v1/jobs/" + id + "/placement");
  CHECK(placement.status == 200);
  CHECK(placement.body.dump().find("node-1") != std::string::npos);
}

TEST_CASE("a replicated job runs on three nodes, which agree and are rewarded") {
  auto id = cluster().submit({{"pattern", "replicated"},
                              {"model", "digits-cnn"},
                              {"inputs", json::array({tests::digit_input(digit().pixels)})}});
  auto job = cluster().finish(id);
  INFO(reason(job));
  REQUIRE(job["status"] == "completed");
  CHECK(argmax(job["result"]["outputs"][0]) == std::size_t(digit().label));
  CHECK(job["result"]["verification"]["reached"] == true);
  cluster().wait_until("three replicas have been scored", [&] {
    std::set<std::string> nodes;
    auto stored = cluster().get("/api/v1/jobs/" + id + "/executions").body;
    for (auto& one : stored["executions"])
      if (one["status"] == "completed")
        nodes.insert(one["node_id"].get<std::string>());
    return nodes.size() == 3;
  });
  cluster().wait_until("every node is worth 105", [&] {
    std::size_t rewarded = 0;
    auto members = cluster().get("/api/v1/nodes").body;
    for (auto& node : members["nodes"])
      rewarded += node["reputation_score"].get<double>() == 105.0;
    return rewarded == 3;
  });
}

TEST_CASE("a collaborative job reduces each node's own rows and weighs them by their number") {
  auto id =
    cluster().submit({{"pattern", "collaborative"}, {"model", "risk"}, {"cabinet", "patients"}});
  auto job = cluster().finish(id);
  INFO(reason(job));
  REQUIRE(job["status"] == "completed");
  std::ifstream file{tests::sample_folder() / "samples" / "expected.json"};
  auto expected = json::parse(file);
  auto mean = job["result"]["outputs"][0]["data"][0].get<double>();
  CHECK(mean == doctest::Approx(expected.at("mean_risk").get<double>()).epsilon(1e-5));
  CHECK(job["result"]["rows"] == expected.at("rows"));
  CHECK(job["result"]["participants"].size() == 3);
  CHECK(job["result"]["partial"] == false);
}

TEST_CASE("a comparative job lets three models vote on one node") {
  auto id = cluster().submit({{"pattern", "comparative"},
                              {"models", {"digits-mlp", "digits-cnn:1", "digits-linear"}},
                              {"inputs", json::array({tests::digit_input(digit().pixels)})},
                              {"vote", {{"method", "majority"}}}});
  auto job = cluster().finish(id);
  INFO(reason(job));
  REQUIRE(job["status"] == "completed");
  CHECK(job["result"]["label"] == std::to_string(digit().label));
  REQUIRE(job["result"]["participants"].size() == 3);
  std::set<std::string> nodes;
  for (auto& one : job["result"]["participants"])
    nodes.insert(one["node_id"].get<std::string>());
  CHECK(nodes.size() == 1);
}

TEST_CASE("a chained job feeds one model's output into the next") {
  std::vector<double> raw;
  for (auto pixel : digit().pixels)
    raw.push_back(std::round(pixel * 255));
  auto id = cluster().submit(
    {{"pattern", "chained"},
     {"steps", json::array({{{"model", "standardize"}}, {{"model", "digits-mlp"}}})},
     {"inputs", json::array({tests::digit_input(raw)})}});
  auto job = cluster().finish(id);
  INFO(reason(job));
  REQUIRE(job["status"] == "completed");
  CHECK(argmax(job["result"]["outputs"][0]) == std::size_t(digit().label));
}

TEST_CASE("a repeated submission under one key makes one job, another body under it is refused") {
  json job{{"pattern", "single"},
           {"model", "digits-mlp"},
           {"inputs", json::array({tests::digit_input(digit().pixels)})}};
  auto key = "same-key";
  auto first = cluster().post("/api/v1/jobs", job, key);
  auto second = cluster().post("/api/v1/jobs", job, key);
  CHECK(first.status == 202);
  CHECK(second.status == 200);
  CHECK(first.body["id"] == second.body["id"]);
  job["name"] = "other";
  CHECK(cluster().post("/api/v1/jobs", job, key).status == 409);
}

TEST_CASE("too few nodes end as no_nodes, with the reason of each node") {
  auto id = cluster().submit({{"pattern", "single"},
                              {"model", "digits-mlp"},
                              {"inputs", json::array({tests::digit_input(digit().pixels)})},
                              {"required_cpu", 1000},
                              {"timeout_ms", 1500}});
  auto job = cluster().finish(id);
  CHECK(job["status"] == "failed");
  CHECK(job["error"]["code"] == "no_nodes");
  CHECK(job["error"]["details"].size() >= 3);
}

TEST_CASE("bad input is refused with every problem named, and nothing is stored") {
  auto before = cluster().get("/stats").body["jobs"];
  json input = tests::digit_input(digit().pixels);
  input["shape"] = {1, 63};
  CHECK(cluster()
          .post("/api/v1/jobs",
                {{"pattern", "single"}, {"model", "digits-mlp"}, {"inputs", json::array({input})}})
          .status
        == 400);
  CHECK(cluster()
          .post("/api/v1/jobs", {{"pattern", "single"},
                                 {"model", "nobody"},
                                 {"inputs", json::array({tests::digit_input(digit().pixels)})}})
          .status
        == 404);
  auto many = cluster().post("/api/v1/jobs", {{"pattern", "single"},
                                              {"model", "a/b"},
                                              {"priority", -1},
                                              {"timeout_ms", -5},
                                              {"colour", "red"}});
  CHECK(many.status == 400);
  CHECK(many.body["details"].size() >= 4);
  CHECK(cluster().get("/stats").body["jobs"] == before);
}

TEST_CASE("a cancelled job is cancelled for good") {
  auto id = cluster().submit({{"pattern", "single"},
                              {"model", "digits-mlp"},
                              {"inputs", json::array({tests::digit_input(digit().pixels)})},
                              {"required_cpu", 1000}});
  auto answer = cluster().remove("/api/v1/jobs/" + id);
  CHECK(answer.status == 200);
  CHECK(cluster().finish(id)["status"] == "cancelled");
  CHECK(cluster().remove("/api/v1/jobs/" + id).status == 409);
}
