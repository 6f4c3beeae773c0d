#include <cctype>
#include <set>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "gateway/content_coding.hpp"
#include "tests/gateway/gateway_fixture.hpp"

namespace {

using namespace dim;
using namespace dim::tests;
using fixture = gateway_fixture;
using runtime::error_code;

TEST_CASE("the server tells its name, version and extensions, and that it lives") {
  config::options options;
  options.gateway.server_name = "triton";
  fixture f{options};
  for (auto path : {"/v2", "/v2/", "/v2?test_1=1"}) {
    auto server = f.get(path);
    CHECK(server["name"] == "triton");
    CHECK(server["version"].is_string());
    CHECK(server["extensions"].is_array());
  }
  CHECK(f.get("/v2/health/live?x=y") == json{{"live", true}});
  CHECK(f.get("/v2/health/ready", 503)["ready"] == false);
  f.script->status.nodes_online = 1;
  auto ready = f.get("/v2/health/ready");
  CHECK(ready["ready"] == true);
  CHECK(ready["live"] == true);
}

TEST_CASE("a model's metadata has its ready versions and shapes with the batch dimension") {
  fixture f;
  auto& versions = f.script->serving->served.versions;
  versions.push_back(simple_model("10"));
  versions.push_back(simple_model("9"));
  versions.back().state = actors::serving_state::loading;
  auto found = f.get("/v2/models/simple");
  CHECK(found["name"] == "simple");
  CHECK(found["versions"] == json{"1", "10"});
  CHECK(found["platform"].is_string());
  json wanted = {{"name", "INPUT1"}, {"datatype", "INT32"}, {"shape", {-1, 16}}};
  CHECK(found["inputs"][1] == wanted);
  CHECK(found["outputs"].size() == 2);
  f.get("/v2/models/simple/versions/10");
  auto text = f.get("/v2/models/simple/versions/2", 404)["error"].get<std::string>();
  CHECK(text == "Request for unknown model: 'simple' version 2 is not found");
  f.get("/v2/models/simple/versions/9", 404);
  text = f.get("/v2/models/none", 404)["error"].get<std::string>();
  CHECK(text == "Request for unknown model: 'none' is not found");
}

TEST_CASE("a model is ready when a version is, and else 503") {
  fixture f;
  CHECK(f.get("/v2/models/simple/ready") == json{{"name", "simple"}, {"ready", true}});
  CHECK(f.get("/v2/models/simple/versions/1/ready")["ready"] == true);
  f.get("/v2/models/none/ready", 404);
  f.script->serving->served.versions.front().state = actors::serving_state::unavailable;
  f.get("/v2/models/simple/ready", 503);
  f.get("/v2/models/simple/versions/1/ready", 503);
}

TEST_CASE("a model's configuration has the form of Triton's") {
  fixture f;
  auto& spec = f.script->serving->served.versions.front().model.spec;
  spec.batch_delay_max_us = 100;
  spec.batching.preferred_sizes = {4, 8};
  spec.batching.queue_by_priority[2].queue_max = 5;
  spec.parameters["delay_ms"] = "5";
  spec.warm_up.push_back({"first", 2, 3, models::warm_up_data::random, {}});
  spec.inputs[1].is_optional = true;
  spec.inputs[1].is_reshaped = true;
  spec.inputs[1].reshape = {4, 4};
  spec.outputs[0].is_reshaped = true;
  auto found = f.get("/v2/models/simple/config");
  CHECK(found["name"] == "simple");
  CHECK(found["max_batch_size"] == 8);
  json wanted = {{"name", "INPUT0"}, {"data_type", "TYPE_INT32"}, {"dims", {16}}};
  wanted["optional"] = false;
  CHECK(found["input"][0] == wanted);
  CHECK(found["input"][1]["reshape"] == json{{"shape", {4, 4}}});
  CHECK(found["input"][1]["optional"] == true);
  CHECK(found["output"][0]["reshape"] == json{{"shape", json::array()}});
  CHECK(!found["output"][0].contains("optional"));
  CHECK(f.get("/v2/models/simple")["inputs"][1]["shape"] == json{-1, 16});
  auto& batching = found["dynamic_batching"];
  CHECK(batching["preferred_batch_size"] == json{4, 8});
  CHECK(batching["max_queue_delay_microseconds"] == 100);
  CHECK(batching["priority_queue_policy"]["2"]["max_queue_size"] == 5);
  CHECK(found["parameters"]["delay_ms"]["string_value"] == "5");
  CHECK(found["model_warmup"][0]["inputs"]["INPUT1"]["random_data"] == true);
  CHECK(found["version_policy"]["latest"]["num_versions"] == 1);
  CHECK(found["instance_group"][0]["count"] == 1);
  CHECK(found["response_cache"]["enable"] == false);

  spec.max_batch_size = 0;
  found = f.get("/v2/models/simple/config");
  CHECK(found["dynamic_batching"]["priority_queue_policy"]["2"]["max_queue_size"] == 5);

  spec.kind = models::model_kind::ensemble;
  spec.steps.push_back({"inner", "3", {{"x", "INPUT0"}}, {{"y", "OUTPUT0"}}});
  found = f.get("/v2/models/simple/config");
  auto& step = found["ensemble_scheduling"]["step"][0];
  CHECK(step["model_version"] == 3);
  CHECK(step["input_map"] == json{{"x", "INPUT0"}});
  CHECK(!found.contains("dynamic_batching"));
}

TEST_CASE("statistics are for all models, one model, or one version") {
  fixture f;
  actors::model_statistics one;
  one.model = "simple";
  one.version = "1";
  one.inference_count = 8;
  one.execution_count = 2;
  one.success.add(1'000);
  one.by_batch_size[4].forward.add(500);
  f.script->serving->statistics.models = {one};
  for (auto path :
       {"/v2/models/stats", "/v2/models/simple/stats?a=b", "/v2/models/simple/versions/1/stats"}) {
    auto stats = f.get(path)["model_stats"][0];
    CHECK(stats["inference_count"] == 8);
    CHECK(stats["inference_stats"]["success"] == json{{"count", 1}, {"ns", 1'000}});
    CHECK(stats["batch_stats"][0]["batch_size"] == 4);
    CHECK(stats["batch_stats"][0]["compute_infer"]["ns"] == 500);
    CHECK(stats["memory_usage"].is_array());
  }
  f.get("/v2/models/unknown/stats", 404);
}

TEST_CASE("the repository index needs no body, and may show ready versions only") {
  fixture f;
  auto& versions = f.script->serving->served.versions;
  versions.push_back(simple_model("2"));
  versions.back().state = actors::serving_state::unavailable;
  versions.back().reason = "unloaded";
  versions.push_back(simple_model());
  versions.back().model.name = "idle";
  versions.back().state = actors::serving_state::unknown;
  raw_client client{f.port};
  auto reply =
    client.ask(request_text("POST", "/v2/repository/index", {}, "Content-Length: 0\r\n"));
  json all = json::parse(reply.body);
  REQUIRE(all.size() == 3);
  CHECK(all[0] == json{{"name", "simple"}, {"version", "1"}, {"state", "READY"}});
  CHECK(all[1]["reason"] == "unloaded");
  CHECK(all[2] == json{{"name", "idle"}});
  CHECK(json::parse(f.ask("POST", "/v2/repository/index", {{"ready", true}}).body).size() == 1);
  auto wrong = f.ask("POST", "/v2/repository/index", {{"ready", 1}});
  CHECK(wrong.status == 400);
  CHECK(json::parse(wrong.body)["error"] == "Invalid value for 'ready': expected a boolean");
  for (auto depth : {200, 250'000}) {
    auto deep = std::string(static_cast<std::size_t>(depth), '[');
    CHECK(client.ask(request_text("POST", "/v2/repository/index", deep)).status == 400);
    deep = "{\"ready\":" + deep + std::string(static_cast<std::size_t>(depth), ']') + "}";
    CHECK(client.ask(request_text("POST", "/v2/repository/index", deep)).status == 400);
  }
  f.get("/v2/health/live");
}

TEST_CASE("load and unload answer with an empty body, and a failure to load says so") {
  fixture f;
  auto reply = f.ask("POST", "/v2/repository/models/simple/load",
                     {{"parameters", {{"config", "{\"max_batch_size\":4}"}}}});
  CHECK(reply.status == 200);
  CHECK(reply.body.empty());
  CHECK(f.script->serving->last_load().config_json == "{\"max_batch_size\":4}");
  CHECK(f.script->serving->last_load().time_left_ms > 0);
  raw_client client{f.port};
  reply = client.ask(
    request_text("POST", "/v2/repository/models/simple/unload", {}, "Content-Length: 0\r\n"));
  CHECK(reply.status == 200);
  CHECK(!f.script->serving->last_unload().dependents);
  f.ask("POST", "/v2/repository/models/simple/unload",
        {{"parameters", {{"unload_dependents", true}}}});
  CHECK(f.script->serving->last_unload().dependents);

  f.script->serving->load_failure = {error_code::model_not_found, "no", {}};
  reply = f.ask("POST", "/v2/repository/models/none/load");
  CHECK(reply.status == 404);
  CHECK(json::parse(reply.body)["error"]
        == "failed to load 'none', failed to poll from model repository");
  f.script->serving->load_failure = {error_code::bad_model, "no program", {}};
  reply = f.ask("POST", "/v2/repository/models/simple/load");
  CHECK(reply.status == 400);
  CHECK(json::parse(reply.body)["error"] == "failed to load 'simple': no program");
}

TEST_CASE("files of a model come with its load, in base64, and a wrong one is refused by name") {
  fixture f;
  const auto load = [&](const json& parameters) {
    return f.ask("POST", "/v2/repository/models/fresh/load", {{"parameters", parameters}});
  };
  CHECK(load({{"config", "{}"}, {"file:1/model.pt", "AAEC/w=="}, {"file:labels.txt", ""}}).status
        == 200);
  const auto sent = f.script->serving->last_load();
  CHECK(sent.name == "fresh");
  CHECK(sent.config_json == "{}");
  REQUIRE(sent.files.size() == 2);
  CHECK(sent.files.at("1/model.pt").view() == std::string_view{"\0\1\2\xff", 4});
  CHECK(sent.files.at("labels.txt").empty());
  for (const json& wrong : {json("AAEC/w"), json("*"), json(1), json({{"b64", "AAEC"}})}) {
    const auto reply = load({{"config", "{}"}, {"file:1/model.pt", wrong}});
    CHECK(reply.status == 400);
    const std::string words = json::parse(reply.body)["error"];
    CHECK(words.starts_with("failed to load 'fresh': parameters.file:1/model.pt: expected"));
  }
  json many = {{"config", "{}"}};
  for (int number = 0; number < 1'025; ++number)
    many["file:1/" + std::to_string(number)] = "";
  const auto reply = load(many);
  CHECK(reply.status == 400);
  CHECK(reply.body.find("expected at most 1024 files") != std::string::npos);
}

TEST_CASE("aliases are set, shown and removed") {
  fixture f;
  auto set = f.ask("PUT", "/api/v1/aliases/best", {{"model", "simple"}, {"version", "1"}});
  CHECK(set.status == 200);
  json wanted = {{"name", "best"}, {"model", "simple"}, {"version", "1"}};
  CHECK(json::parse(set.body) == wanted);
  CHECK(f.get("/api/v1/aliases/best") == wanted);
  CHECK(f.get("/api/v1/aliases")["aliases"] == json::array({wanted}));
  CHECK(f.get("/v2/models/best")["name"] == "simple");
  CHECK(f.ask("DELETE", "/api/v1/aliases/best").status == 204);
  f.get("/api/v1/aliases/best", 404);
  CHECK(f.ask("PUT", "/api/v1/aliases/best").status == 400);
  CHECK(f.ask("PUT", "/api/v1/aliases/best", {{"model", "a"}, {"mdl", "b"}}).status == 400);
}

TEST_CASE("a query that is not percent-encoded is passed over where queries are") {
  fixture f;
  for (auto target : {"/v2/health/live?%", "/v2?x=100%", "/v2?x=%zz", "/v2/models/simple?x=%00"})
    f.get(target);
  f.get("/api/v1/jobs?%=1", 400);
}

TEST_CASE("an empty name of a model is no path") {
  fixture f;
  for (auto target : {"/v2/models//stats", "/v2/models//ready", "/v2/models//config",
                      "/v2/models//versions/1/stats", "/v2/models//"})
    CHECK(f.get(target, 404)["error"] == "no such path");
}

TEST_CASE("a restricted group needs its header field, and the others do not") {
  config::options options;
  options.gateway.restricted_apis = {"model-repository: Admin-Key=s3cret",
                                     "statistics: admin-key=s3cret"};
  fixture f{options};
  auto refused = f.ask("POST", "/v2/repository/index");
  CHECK(refused.status == 401);
  CHECK(json::parse(refused.body)["error"]
        == "This API is restricted, expecting header 'admin-key'");
  CHECK(f.ask("POST", "/v2/repository/index", {}, "admin-key: wrong!\r\n").status == 403);
  CHECK(f.ask("POST", "/v2/repository/index", {}, "ADMIN-KEY: s3cret\r\n").status == 200);
  f.get("/v2/models/stats", 401);
  f.get("/v2/models/simple");
}

TEST_CASE("a restricted group has the routes of our own that do the same") {
  config::options options;
  options.gateway.restricted_apis = {"model-repository: admin-key=s3cret", "inference: key=k"};
  fixture f{options};
  for (auto& each : f.http.routes().routes()) {
    auto is = [&](const char* resource) {
      return each.pattern.starts_with(std::string{"/api/v1/"} + resource);
    };
    if (is("models") || is("aliases") || is("jobs") || is("arrays") || is("inference"))
      CHECK(!each.api.empty());
  }
  CHECK(f.ask("POST", "/api/v1/models?name=a&version=1").status == 401);
  CHECK(f.ask("PUT", "/api/v1/models/a/versions/2").status == 401);
  CHECK(f.ask("DELETE", "/api/v1/models/a").status == 401);
  CHECK(f.ask("PUT", "/api/v1/aliases/a", {{"model", "simple"}}).status == 401);
  CHECK(f.ask("DELETE", "/api/v1/aliases/a").status == 401);
  CHECK(f.ask("POST", "/api/v1/jobs").status == 401);
  CHECK(f.ask("DELETE", "/api/v1/jobs/" + job_id, {}, "key: wrong\r\n").status == 403);
  CHECK(f.ask("PUT", "/api/v1/aliases/a", {{"model", "simple"}}, "admin-key: s3cret\r\n").status
        == 200);
  f.get("/health/live");
}

TEST_CASE("wrong methods and paths are refused with an error in JSON") {
  fixture f;
  CHECK(f.get("/v2/models/simple/infer", 405)["error"].is_string());
  CHECK(f.get("/v2/nowhere", 404)["error"].is_string());
  CHECK(f.ask("POST", "/v2/models/stats").status == 405);
}

TEST_CASE("the OpenAPI document has every route, and no other") {
  fixture f;
  auto document = f.get("/openapi.json");
  CHECK(document["openapi"] == "3.1.0");
  std::set<std::string> described;
  for (auto& [path, methods] : document["paths"].items())
    for (auto& [method, operation] : methods.items()) {
      CHECK(operation["responses"].contains("default"));
      described.insert(method + " " + path);
    }
  std::set<std::string> served;
  for (auto& each : f.http.routes().routes()) {
    auto method = each.method;
    for (auto& c : method)
      c = static_cast<char>(std::tolower(c));
    served.insert(method + " " + each.pattern);
  }
  CHECK(described == served);
}

TEST_CASE("requests and answers are compressed on demand, lengths counted before") {
  fixture f;
  json tensor = {{"name", "x"}, {"datatype", "FP32"}, {"shape", {2}}, {"data", {1, 2}}};
  json request = {{"inputs", json::array({tensor})}};
  for (std::string name : {"gzip", "deflate"}) {
    CAPTURE(name);
    auto coding = *gateway::coding_named(name);
    gateway::http_reply packed;
    packed.body = request.dump();
    gateway::encode_reply(coding, packed);
    raw_client client{f.port};
    auto reply = client.ask(request_text("POST", "/v2/models/m/infer", packed.body,
                                         "Content-Encoding: " + name + "\r\nAccept-Encoding: "
                                           + name + "\r\nInference-Header-Content-Length: "
                                           + std::to_string(request.dump().size()) + "\r\n"));
    REQUIRE(reply.status == 200);
    CHECK(reply.headers["content-encoding"] == name);
    auto plain = gateway::decode_body(coding, reply.body, 1'000);
    REQUIRE(plain);
    CHECK(json::parse(plain->view())["outputs"][0]["data"] == json{1.0, 2.0});
  }
  raw_client client{f.port};
  auto reply =
    client.ask(request_text("POST", "/v2/models/m/infer", "x", "Content-Encoding: br\r\n"));
  CHECK(reply.status == 501);
  CHECK(reply.headers["accept-encoding"] == "gzip, deflate");
  reply = client.ask(request_text("POST", "/v2/models/m/infer", "x", "Content-Encoding: gzip\r\n"));
  CHECK(reply.status == 400);
}

TEST_CASE("a body that is too large when decompressed is 413") {
  config::options options;
  options.gateway.body_bytes_max = 10'000;
  fixture f{options};
  gateway::http_reply packed;
  packed.body = std::string(20'000, ' ');
  gateway::encode_reply(gateway::content_coding::gzip, packed);
  raw_client client{f.port};
  auto reply = client.ask(
    request_text("POST", "/v2/models/m/infer", packed.body, "Content-Encoding: gzip\r\n"));
  CHECK(reply.status == 413);
  CHECK(json::parse(reply.body)["error"].is_string());
}

}  // namespace
