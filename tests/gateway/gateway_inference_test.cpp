#include <cstring>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/gateway/gateway_fixture.hpp"

namespace {

using namespace dim;
using namespace dim::tests;
using fixture = gateway_fixture;
using runtime::error_code;

json tensor(const std::string& name, const std::string& type, const json& shape, const json& data) {
  return {{"name", name}, {"datatype", type}, {"shape", shape}, {"data", data}};
}

json small_request() {
  return {{"inputs", json::array({tensor("x", "FP32", {1, 3}, {1, 2.5, -3e-5})})}};
}

/// 0 to 15, or 16 ones, as INT32.
std::string whole_numbers(bool are_ones) {
  std::string bytes;
  for (std::int32_t i = 0; i < 16; ++i) {
    auto number = are_ones ? 1 : i;
    bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  return bytes;
}

TEST_CASE("an inference goes to ROUTER as tensors, and its outputs come back as JSON") {
  fixture f;
  auto request = small_request();
  request["id"] = "seven";
  request["unknown"] = {{"a", {1, 2}}};
  request["parameters"] = {{"priority", 2}, {"timeout", 5000}, {"own", "text"}};
  request["outputs"] = {{{"name", "OUTPUT0"}}};
  auto reply = f.ask("POST", "/v2/models/m/infer?test_1=1", request);
  REQUIRE(reply.status == 200);
  CHECK(reply.headers["content-type"] == "application/json");
  json output = tensor("OUTPUT0", "FP32", {1, 3}, {1, 2.5, -3e-5});
  CHECK(json::parse(reply.body)
        == json{{"id", "seven"},
                {"model_name", "m"},
                {"model_version", "1"},
                {"outputs", json::array({output})}});
  auto sent = f.script->serving->last_run();
  CHECK(sent.model == "m");
  CHECK(sent.version.empty());
  CHECK(sent.outputs == std::vector<std::string>{"OUTPUT0"});
  CHECK(sent.priority == 2);
  CHECK(sent.queue_timeout_us == 5000);
  CHECK(sent.time_left_ms > 0);
  CHECK(sent.inputs.at(0).digest.empty());
  CHECK(sent.inputs.at(0).data.size() == 12);
}

TEST_CASE("the version is part of the path, and one that is no number is 404") {
  fixture f;
  auto reply = f.ask("POST", "/v2/models/m/versions/3/infer", small_request());
  CHECK(json::parse(reply.body)["model_version"] == "3");
  CHECK(f.script->serving->last_run().version == "3");
  reply = f.ask("POST", "/v2/models/m/versions/abc/infer", small_request());
  CHECK(reply.status == 404);
  CHECK(json::parse(reply.body)["error"]
        == "Request for unknown model: 'm' version abc is not found");
  reply = f.ask("POST", "/api/v1/inference/m", small_request());
  CHECK(reply.status == 200);
  CHECK(!json::parse(reply.body).contains("id"));
}

TEST_CASE("the worked example, one input in JSON and one behind it, is answered likewise") {
  fixture f;
  std::string head =
    R"({"inputs":[{"name":"INPUT0","shape":[1,16],"datatype":"INT32","data":)"
    R"([0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]},{"name":"INPUT1","shape":[1,16],)"
    R"("datatype":"INT32","parameters":{"binary_data_size":64}}],"outputs":[{"name":"OUTPUT0",)"
    R"("parameters":{"binary_data":true}},{"name":"OUTPUT1","parameters":{"binary_data":false}}]})";
  REQUIRE(head.size() == 319);
  raw_client client{f.port};
  auto reply =
    client.ask(request_text("POST", "/v2/models/simple/infer", head + whole_numbers(true),
                            "Inference-Header-Content-Length: 319\r\n"));
  REQUIRE(reply.status == 200);
  auto length = std::stoul(reply.headers.at("inference-header-content-length"));
  auto answer = json::parse(reply.body.substr(0, length));
  CHECK(answer["outputs"][0]["parameters"]["binary_data_size"] == 64);
  CHECK(!answer["outputs"][0].contains("data"));
  CHECK(answer["outputs"][1]["data"] == json(std::vector<int>(16, 1)));
  CHECK((reply.body.substr(length) == whole_numbers(false)));
  CHECK(reply.headers["content-type"] == "application/octet-stream");
}

TEST_CASE("what clients in C++ and Python send, byte for byte, is answered in their form") {
  fixture f;
  // An empty id, no outputs, and a Content-Type that is not looked at.
  const std::string in_cpp =
    R"({"id":"","parameters":{"binary_data_output":true},"inputs":[{"name":"INPUT0",)"
    R"("datatype":"INT32","shape":[1,16],"parameters":{"binary_data_size":64}},{"name":"INPUT1",)"
    R"("datatype":"INT32","shape":[1,16],"parameters":{"binary_data_size":64}}]})";
  REQUIRE(in_cpp.size() == 239);
  // The model's name once more, and lower-case names of header fields.
  const std::string in_python =
    R"({"id":"7","model_name":"simple","inputs":[{"name":"INPUT0","shape":[1,16],)"
    R"("datatype":"INT32","parameters":{"binary_data_size":64}},{"name":"INPUT1","shape":[1,16],)"
    R"("datatype":"INT32","parameters":{"binary_data_size":64}}]})";
  raw_client client{f.port};
  auto send = [&](const std::string& head, const std::string& fields) {
    return client.ask("POST /v2/models/simple/infer HTTP/1.1\r\nHost: localhost:8000\r\n" + fields
                      + std::to_string(head.size()) + "\r\ncontent-type: application/octet-stream"
                      + "\r\nContent-Length: " + std::to_string(head.size() + 128) + "\r\n\r\n"
                      + head + whole_numbers(false) + whole_numbers(true));
  };
  auto reply = send(in_cpp, "User-Agent: libcurl-agent/1.0\r\nAccept: */*\r\n"
                            "Inference-Header-Content-Length: ");
  REQUIRE(reply.status == 200);
  auto length = std::stoul(reply.headers.at("inference-header-content-length"));
  CHECK(!json::parse(reply.body.substr(0, length)).contains("id"));
  CHECK((reply.body.substr(length) == whole_numbers(false) + whole_numbers(true)));
  reply = send(in_python, "Accept: */*\r\nConnection: keep-alive\r\n"
                          "inference-header-content-length: ");
  REQUIRE(reply.status == 200);
  auto answer = json::parse(reply.body);
  CHECK(answer["id"] == "7");
  CHECK(answer["outputs"][1]["data"] == json(std::vector<int>(16, 1)));
  CHECK(!reply.headers.contains("inference-header-content-length"));
}

TEST_CASE("without outputs and with binary_data_output all outputs are binary") {
  fixture f;
  auto request = small_request();
  request["parameters"]["binary_data_output"] = true;
  auto reply = f.ask("POST", "/v2/models/m/infer", request);
  auto length = std::stoul(reply.headers.at("inference-header-content-length"));
  CHECK(reply.body.size() - length == 12);
  float second = 0;
  std::memcpy(&second, reply.body.data() + length + 4, 4);
  CHECK(second == 2.5f);
}

TEST_CASE("a header length that is no number within the body is 400, and the server lives") {
  fixture f;
  for (auto length : {"99999999999", "-1", "abc", "", "1.5", "99999999999999999999999", "16 "}) {
    CAPTURE(length);
    raw_client client{f.port};
    auto reply =
      client.ask(request_text("POST", "/v2/models/m/infer", "{\"inputs\":[]}",
                              std::string{"Inference-Header-Content-Length: "} + length + "\r\n"));
    CHECK(reply.status == 400);
    CHECK(json::parse(reply.body)["error"].is_string());
  }
  CHECK(f.ask("POST", "/v2/models/m/infer", small_request()).status == 200);
}

TEST_CASE("a raw body is the one input of its model, and all outputs are binary") {
  fixture f;
  auto raw = simple_model();
  raw.model.name = "raw";
  raw.model.spec.inputs.resize(1);
  f.script->serving->served.versions.push_back(raw);
  raw_client client{f.port};
  auto no_json = "Inference-Header-Content-Length: 0\r\n";
  auto reply =
    client.ask(request_text("POST", "/v2/models/raw/infer", whole_numbers(false), no_json));
  REQUIRE(reply.status == 200);
  auto length = std::stoul(reply.headers.at("inference-header-content-length"));
  CHECK((reply.body.substr(length) == whole_numbers(false)));
  CHECK(f.script->serving->last_run().inputs.at(0).shape == std::vector<std::int64_t>{1, 16});
  raw.model.name = "text";
  raw.model.spec.inputs[0] = {"TEXT", models::datatype::bytes, {1}, {}};
  f.script->serving->served.versions.push_back(raw);
  auto nothing = std::string{no_json} + "Content-Length: 0\r\n";
  reply = client.ask(request_text("POST", "/v2/models/text/infer", {}, nothing));
  CHECK(reply.status == 200);
  CHECK(f.script->serving->last_run().inputs.at(0).data.view() == std::string_view("\0\0\0\0", 4));
  reply = client.ask(request_text("POST", "/v2/models/simple/infer", "1234", no_json));
  CHECK(reply.status == 400);
  CHECK(reply.body.find("Raw request must only have 1 input") != std::string::npos);
  reply = client.ask(request_text("POST", "/v2/models/none/infer", "1234", no_json));
  CHECK(reply.status == 404);
}

TEST_CASE("a model that is known but not ready is 503, whatever form the request has") {
  fixture f;
  f.script->serving->served.versions.front().state = actors::serving_state::unavailable;
  f.script->serving->served.aliases["best"] = {"simple", "1"};
  auto raw = [&](const std::string& path) {
    raw_client client{f.port};
    return client.ask(
      request_text("POST", path, "1234", "Inference-Header-Content-Length: 0\r\n"));
  };
  auto classified = small_request();
  classified["outputs"] = {{{"name", "OUTPUT0"}, {"parameters", {{"classification", 1}}}}};
  std::string beginning = "Request for unknown model: ";
  for (auto& reply :
       {raw("/v2/models/simple/infer"), f.ask("POST", "/v2/models/simple/infer", classified)}) {
    CHECK(reply.status == 503);
    CHECK(json::parse(reply.body)["error"] == beginning + "'simple' has no available versions");
  }
  for (std::string path : {"simple/versions/1", "best"}) {
    auto reply = raw("/v2/models/" + path + "/infer");
    CHECK(reply.status == 503);
    CHECK(json::parse(reply.body)["error"].get<std::string>().ends_with(
      "version 1 is not at ready state"));
  }
  auto reply = raw("/v2/models/simple/versions/7/infer");
  CHECK(reply.status == 404);
  CHECK(json::parse(reply.body)["error"] == beginning + "'simple' version 7 is not found");
  CHECK(raw("/v2/models/none/infer").status == 404);
}

TEST_CASE("malformed JSON that the protocol passes over is 400 in every body") {
  fixture f;
  raw_client client{f.port};
  for (auto path : {"/v2/models/m/infer", "/v2/repository/index",
                    "/v2/repository/models/simple/load", "/v2/repository/models/simple/unload"})
    for (auto bad :
         {R"({"inputs":[],"x":tru})", R"({"inputs":[],"ready":nope})",
          R"({"inputs":[],"parameters":{"x":01}})", R"({"inputs":[],"x":[1 2]})"}) {
      CAPTURE(path);
      CAPTURE(bad);
      CHECK(client.ask(request_text("POST", path, bad)).status == 400);
    }
}

TEST_CASE("failures of an inference have the protocol's statuses and words") {
  fixture f;
  struct {
    runtime::failure failure;
    int status;
    const char* words;
  } cases[] = {
    {{error_code::model_not_found, "", {}}, 404, "Request for unknown model: 'm' is not found"},
    {{error_code::overloaded, "the queue is full", {}}, 503, "Exceeds maximum queue size"},
    {{error_code::expired, "", {}}, 503, "Request timeout expired"},
    {{error_code::unavailable, "not loaded", {}}, 503, "not loaded"},
    {{error_code::bad_input, "unexpected inference input 'a' for model 'm'", {}},
     400,
     "unexpected inference input 'a'"},
    {{error_code::internal, "a defect", {}}, 500, "a defect"},
  };
  for (auto& each : cases) {
    f.script->serving->run_failure = each.failure;
    auto reply = f.ask("POST", "/v2/models/m/infer", small_request());
    CHECK(reply.status == each.status);
    CHECK(json::parse(reply.body)["error"].get<std::string>().find(each.words)
          != std::string::npos);
    CHECK(reply.headers.contains("retry-after") == (each.status == 503));
  }
}

TEST_CASE("an output that JSON can not carry is 400 in words, and comes as binary data") {
  fixture f;
  std::string nan("\0\0\xc0\x7f", 4);
  models::tensor output{"y", models::datatype::fp32, {1}, runtime::bytes::copy_of(nan), {}, 4};
  f.script->serving->outputs = {output};
  auto request = small_request();
  auto reply = f.ask("POST", "/v2/models/m/infer", request);
  CHECK(reply.status == 400);
  CHECK(json::parse(reply.body)["error"].get<std::string>().find("binary") != std::string::npos);
  request["outputs"] = {{{"name", "y"}, {"parameters", {{"binary_data", true}}}}};
  reply = f.ask("POST", "/v2/models/m/infer", request);
  CHECK(reply.status == 200);
  CHECK(reply.body.ends_with(nan));
}

TEST_CASE("classification asks the model for its labels and gives the best classes as texts") {
  fixture f;
  auto& spec = f.script->serving->served.versions.front().model.spec;
  spec.outputs[0].labels = {"cat", "dog", "mouse"};
  json request = {{"inputs", json::array({tensor("INPUT0", "FP32", {1, 3}, {0.25, 4, 1.5})})},
                  {"outputs", {{{"name", "OUTPUT0"}, {"parameters", {{"classification", 2}}}}}}};
  auto reply = f.ask("POST", "/v2/models/simple/infer", request);
  REQUIRE(reply.status == 200);
  auto output = json::parse(reply.body)["outputs"][0];
  CHECK(output == tensor("OUTPUT0", "BYTES", {1, 2}, {"4:1:dog", "1.5:2:mouse"}));
}

TEST_CASE("a caller that closes its connection withdraws what it asked for") {
  fixture f;
  f.script->serving->is_held = true;
  raw_client client{f.port};
  REQUIRE(client.send(request_text("POST", "/v2/models/m/infer", small_request().dump())));
  auto id = f.script->serving->wait_run();
  client.close();
  CHECK(f.script->serving->wait_withdrawn() == id);
  raw_client staying{f.port};
  REQUIRE(staying.send(request_text("POST", "/v2/models/m/infer", small_request().dump())));
}

}  // namespace
