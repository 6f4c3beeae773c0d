#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "gateway/base64.hpp"
#include "runtime/digest.hpp"
#include "tests/gateway/gateway_fixture.hpp"

namespace {

using namespace dim;
using namespace dim::tests;
using nlohmann::json;
using runtime::error_code;
using fixture = gateway_fixture;

std::string upload_headers(const std::string& bytes, std::string_view more = {}) {
  auto config = gateway::to_base64("config");
  return "X-Dim-Model-Config: " + config + "\r\nContent-Length: " + std::to_string(bytes.size())
         + "\r\n" + std::string{more};
}

TEST_CASE("an uploaded model goes to MODELS in blocks, with its name, digest and configuration") {
  fixture f;
  std::string bytes((3 << 20) + 17, 'm');
  raw_client client{f.port};
  // SHA-256 of the bytes as base64 is what a client would send; here the gateway computes it.
  auto text =
    request_text("POST", "/api/v1/models?name=digits&version=3", {}, upload_headers(bytes));
  auto reply = client.ask(text + bytes);
  CHECK(reply.status == 201);
  CHECK(reply.headers["location"] == "/api/v1/models/digits/versions/3");
  auto entry = json::parse(reply.body);
  CHECK(entry["digest"] == runtime::sha256_hex(bytes));
  CHECK(entry["byte_size"] == bytes.size());
  CHECK(entry["description"] == "config");
  CHECK((f.script->uploaded_bytes() == bytes));
  auto put = request_text("PUT", "/api/v1/models/digits/versions/4", {}, upload_headers("abc"));
  CHECK(client.ask(put + "abc").status == 201);
}

TEST_CASE("an upload that is wrong in its header is refused with every problem") {
  fixture f;
  raw_client client{f.port};
  auto reply = client.ask(request_text("POST", "/api/v1/models?name=a/b&version=0&x=1", "abc",
                                       "Digest: sha-256=abc\r\n"));
  CHECK(reply.status == 400);
  CHECK(json::parse(reply.body)["details"].size() == 5);
  CHECK(f.script->uploaded() == 0);
}

TEST_CASE("a digest in the header is handed on as hex") {
  fixture f;
  raw_client client{f.port};
  // The SHA-256 of "abc".
  auto header = "Digest: md5=x, SHA-256=ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=\r\n";
  auto text = request_text("POST", "/api/v1/models?name=m", {}, upload_headers("xyz", header));
  auto entry = json::parse(client.ask(text + "xyz").body);
  CHECK(entry["digest"] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("a slow MODELS slows the uploading client down") {
  fixture f;
  f.script->hold_blocks(true);
  constexpr std::size_t total = 64 << 20;
  raw_client client{f.port};
  auto headers = "X-Dim-Model-Config: YQ==\r\nContent-Length: " + std::to_string(total) + "\r\n";
  REQUIRE(client.send(request_text("POST", "/api/v1/models?name=m", {}, headers)));
  std::string piece(1 << 20, 'x');
  std::size_t sent = 0;
  while (sent < total && client.wait_writable(300))
    sent += client.send_some(piece);
  CHECK(sent < total / 2);
  CHECK(f.script->uploaded() <= 1 << 20);
  caf::anon_send(f.entry.get(), tests::release_blocks{});
  REQUIRE(client.send(std::string(total - sent, 'x')));
  CHECK(client.read()->status == 201);
  CHECK(f.script->uploaded() == total);
}

TEST_CASE("an upload that breaks off, or that MODELS refuses, is abandoned") {
  fixture f;
  {
    raw_client client{f.port};
    REQUIRE(client.send(
      request_text("POST", "/api/v1/models?name=m", {}, upload_headers(std::string(1'000, 'x')))
      + "some"));
  }
  f.script->wait_abandoned();
  f.script->finish_failure = {error_code::corrupt, "another digest", {}};
  raw_client client{f.port};
  auto text = request_text("POST", "/api/v1/models?name=m", {}, upload_headers("abc"));
  auto reply = client.ask(text + "abc");
  CHECK(reply.status == 400);
  CHECK(json::parse(reply.body)["code"] == "corrupt");
  CHECK(f.get("/health/live")["live"] == true);
}

TEST_CASE("a question ends an upload of which all has come, when it has the configuration") {
  fixture f;
  f.script->resumed.received = 10;
  const std::string digest = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
  const auto ask = [&](const std::string& more) {
    raw_client client{f.port};
    return client.ask(request_text("PUT", "/api/v1/models/digits/versions/3", {},
                                   "Content-Range: bytes */10\r\nContent-Length: 0\r\nDigest: "
                                   "sha-256=" + digest + "\r\n" + more));
  };
  auto told = ask("");
  CHECK(told.status == 202);
  CHECK(told.headers["range"] == "bytes=0-9");
  auto ended = ask("X-Dim-Model-Config: " + gateway::to_base64("config") + "\r\n");
  CHECK(ended.status == 201);
  CHECK(json::parse(ended.body)["description"] == "config");
  CHECK(json::parse(ended.body)["byte_size"] == 10);
}

TEST_CASE("a model is shown with what its tensors are like and with its own aliases") {
  fixture f;
  actors::model_entry entry;
  entry.name = "digits";
  entry.version = "2";
  entry.spec.outputs.push_back({"y", models::datatype::fp32, {2}, {"no", "yes"}});
  entry.spec.inputs.push_back({"x", models::datatype::fp32, {4}, {}, true, true, {2, 2}});
  f.script->models.models = {entry};
  f.ask("PUT", "/api/v1/aliases/stable", {{"model", "digits"}, {"version", "2"}});
  f.ask("PUT", "/api/v1/aliases/newest", {{"model", "digits"}});
  f.ask("PUT", "/api/v1/aliases/other", {{"model", "simple"}});
  auto shown = f.get("/api/v1/models/digits");
  auto& output = shown["versions"][0]["outputs"][0];
  CHECK(output["labels"] == json{"no", "yes"});
  CHECK(output["reshape"] == nullptr);
  CHECK(output["optional"] == false);
  auto& input = shown["versions"][0]["inputs"][0];
  CHECK(input["dims"] == json{4});
  CHECK(input["reshape"] == json{2, 2});
  CHECK(input["optional"] == true);
  CHECK(shown["aliases"]
        == json{{{"name", "newest"}, {"version", nullptr}},
                {{"name", "stable"}, {"version", "2"}}});
}

TEST_CASE("models are listed, read and removed") {
  fixture f;
  f.get("/api/v1/models/digits", 404);
  f.get("/api/v1/models/digits/versions/1", 404);
  actors::model_entry entry;
  entry.name = "digits";
  entry.version = "1";
  entry.spec.inputs.push_back({"x", models::datatype::fp32, {64}, {}});
  f.script->models.models = {entry};
  CHECK(f.get("/api/v1/models")["models"][0]["inputs"][0]["dims"] == json{64});
  CHECK(f.get("/api/v1/models/digits")["versions"].size() == 1);
  CHECK(f.get("/api/v1/models/digits")["aliases"] == json::array());
  CHECK(f.get("/api/v1/models/digits/versions/1")["version"] == "1");
  CHECK(f.ask("DELETE", "/api/v1/models/digits").status == 200);
  CHECK(f.ask("DELETE", "/api/v1/models/digits/versions/1").status == 200);
}

}  // namespace
