// Models whose files come with the load, over HTTP: nodes fetch them, agents run them.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "gateway/base64.hpp"
#include "tests/cluster/local_cluster.hpp"

using namespace dim;
using nlohmann::json;
using tests::local_cluster;

namespace {

/// The sample's program in base64, as it stands in a load.
std::string program_of(const std::string& sample) {
  std::ifstream in(tests::sample_folder() / "models" / sample / "1/model.pt", std::ios::binary);
  REQUIRE(in.good());
  return gateway::to_base64(std::string{std::istreambuf_iterator<char>{in}, {}});
}

/// The configuration that the cluster shows of a model, as a load takes it.
std::string config_of(const local_cluster& cluster, const std::string& model,
                      const json& policy = {{"latest", {{"num_versions", 1}}}}) {
  auto config = cluster.get("/v2/models/" + model + "/config").body;
  config.erase("name");
  config["version_policy"] = policy;
  return config.dump();
}

/// The labels that the configuration names.
const std::string labels = gateway::to_base64("0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n");

tests::reply load(const local_cluster& cluster, const std::string& model, const json& parameters) {
  return cluster.post("/v2/repository/models/" + model + "/load", {{"parameters", parameters}});
}

/// The scores of the first digit; null while there is no answer.
json scores(const local_cluster& cluster, const std::string& path) {
  const auto& digit = tests::sample_digits().front();
  const auto answer = cluster.post("/v2/models/" + path + "/infer",
                                   {{"inputs", json::array({tests::digit_input(digit.pixels)})}});
  return answer.status == 200 ? answer.body.at("outputs").at(0).at("data") : json{};
}

}  // namespace

TEST_CASE("files of a load answer until the next load, which may fail, or until the unload") {
  local_cluster cluster{2};
  cluster.push_samples({"digits-mlp", "digits-linear"});
  const json own = scores(cluster, "digits-mlp");
  const json other = scores(cluster, "digits-linear");
  REQUIRE(own.is_array());
  REQUIRE(other.is_array());
  REQUIRE(own != other);
  const std::string config = config_of(cluster, "digits-linear");

  const auto sent = load(cluster, "digits-mlp",
                         {{"config", config},
                          {"file:labels.txt", labels},
                          {"file:1/model.pt", program_of("digits-linear")}});
  REQUIRE_MESSAGE(sent.status == 200, sent.body.dump());
  for (int again = 0; again < 8; ++again)
    CHECK(scores(cluster, "digits-mlp") == other);

  const auto broken =
    load(cluster, "digits-mlp",
         {{"config", config}, {"file:labels.txt", labels}, {"file:1/model.pt", "AAECAwQF"}});
  CHECK(broken.status >= 400);
  CHECK(broken.body.dump().find("failed to load") != std::string::npos);
  CHECK(scores(cluster, "digits-mlp") == other);

  REQUIRE(load(cluster, "digits-mlp", json::object()).status == 200);
  for (int again = 0; again < 8; ++again)
    CHECK(scores(cluster, "digits-mlp") == own);
}

TEST_CASE("a model that only a load knows has two versions, and nothing is left of it") {
  local_cluster cluster{1};
  cluster.push_samples({"digits-mlp", "digits-linear"});
  const std::string config = config_of(cluster, "digits-mlp", {{"all", json::object()}});
  const json parameters = {{"config", config},
                           {"file:labels.txt", labels},
                           {"file:1/model.pt", program_of("digits-linear")},
                           {"file:2/model.pt", program_of("digits-mlp")}};
  CHECK(load(cluster, "fresh", {{"file:1/model.pt", "AAEC"}}).status == 400);
  const auto sent = load(cluster, "fresh", parameters);
  REQUIRE_MESSAGE(sent.status == 200, sent.body.dump());
  CHECK(scores(cluster, "fresh/versions/1") == scores(cluster, "digits-linear"));
  CHECK(scores(cluster, "fresh/versions/2") == scores(cluster, "digits-mlp"));
  CHECK(scores(cluster, "fresh") == scores(cluster, "digits-mlp"));
  CHECK(cluster.post("/v2/repository/models/fresh/unload", json::object()).status == 200);
  CHECK(cluster.get("/v2/models/fresh/ready").status != 200);
  CHECK(cluster.get("/v2/models/fresh").status == 404);

  REQUIRE(load(cluster, "fresh", parameters).status == 200);
  cluster.orchestrator().kill();
  cluster.start_orchestrator();
  cluster.wait_until("the samples are served again",
                     [&] { return scores(cluster, "digits-mlp").is_array(); });
  CHECK(cluster.get("/v2/models/fresh").status == 404);
}

TEST_CASE("a load lets clients see a model's input in another shape, and its classes by labels") {
  local_cluster cluster{1};
  cluster.push_samples({"digits-mlp"});
  const json input = {{"name", "x"}, {"data_type", "TYPE_FP32"}, {"dims", {8, 8}},
                      {"reshape", {{"shape", {64}}}}};
  const json output = {{"name", "scores"}, {"data_type", "TYPE_FP32"}, {"dims", {10}},
                       {"label_filename", "names.txt"}};
  const json config = {{"input", json::array({input})}, {"output", json::array({output})}};
  const std::string names =
    "zero\none\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n";
  const auto load_with = [&](const std::string& text) {
    return load(cluster, "digits-mlp",
                {{"config", config.dump()}, {"file:names.txt", gateway::to_base64(text)}});
  };
  CHECK(load_with("zero\none\n").body.dump().find("expected 10 labels") != std::string::npos);
  const auto loaded = load_with(names);
  REQUIRE_MESSAGE(loaded.status == 200, loaded.body.dump());
  CHECK(cluster.get("/v2/models/digits-mlp").body.at("inputs").at(0).at("shape")
        == json{-1, 8, 8});
  const auto& digit = tests::sample_digits().front();
  json request = {{"inputs", json::array({tests::digit_input(digit.pixels)})}};
  CHECK(cluster.post("/v2/models/digits-mlp/infer", request).status == 400);
  request["inputs"][0]["shape"] = {1, 8, 8};
  const auto scores_of = cluster.post("/v2/models/digits-mlp/infer", request);
  REQUIRE_MESSAGE(scores_of.status == 200, scores_of.body.dump());
  CHECK(scores_of.body.at("outputs").at(0).at("data").size() == 10);
  request["outputs"] = {{{"name", "scores"}, {"parameters", {{"classification", 1}}}}};
  const auto answer = cluster.post("/v2/models/digits-mlp/infer", request);
  REQUIRE_MESSAGE(answer.status == 200, answer.body.dump());
  std::istringstream lines(names);
  std::string name;
  for (int line = 0; line <= digit.label; ++line)
    std::getline(lines, name);
  const auto best = answer.body.at("outputs").at(0).at("data").at(0).get<std::string>();
  CHECK(best.ends_with(":" + std::to_string(digit.label) + ":" + name));
}
