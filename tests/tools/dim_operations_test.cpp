// dim node, dim backup, dim restore.
#include <fstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/support/temporary_folder.hpp"
#include "tests/tools/dim_run.hpp"
#include "tests/tools/fake_gateway.hpp"

using namespace dim::tests;

namespace {

scripted_answer node_answer(const std::string& state, const std::string& heartbeat,
                            const std::string& active) {
  return {.body = R"({"name": "clinic", "state": ")" + state + R"(", "last_heartbeat": ")"
                  + heartbeat + R"(", "load": {"active_executions": [)" + active + "]}}"};
}

}  // namespace

TEST_CASE("what is wanted of a node is posted to its route, and its new state is told") {
  for (const std::string word : {"quarantine", "release", "drain", "undrain"}) {
    fake_gateway gateway{[](auto&, auto) { return node_answer("quarantined", "t", ""); }};
    dim_run run{{"node", word, "clinic"}, gateway.url()};
    CHECK(run.status == 0);
    CHECK(run.out.str() == "clinic is quarantined\n");
    REQUIRE(gateway.requests().size() == 1);
    CHECK(gateway.requests()[0].method == "POST");
    CHECK(gateway.requests()[0].target == "/api/v1/nodes/clinic/" + word);
  }
}

TEST_CASE("drain --wait returns when a heartbeat after it tells of no work") {
  fake_gateway gateway{[](auto&, std::size_t before) {
    // The order, then looks: the old heartbeat, one with work, one without.
    return before < 2    ? node_answer("draining", "1", "")
           : before == 2 ? node_answer("draining", "2", R"("e1")")
                         : node_answer("draining", "3", "");
  }};
  dim_run run{{"node", "drain", "clinic", "--wait"}, gateway.url()};
  CHECK(run.status == 0);
  CHECK(run.out.str() == "clinic is draining\n");
  CHECK(gateway.requests().size() == 4);
}

TEST_CASE("drain --wait does not wait for ever") {
  fake_gateway gateway{[](auto&, auto) { return node_answer("draining", "1", R"("e1")"); }};
  dim_run run{{"node", "drain", "clinic", "--wait", "--wait-ms", "2000"}, gateway.url()};
  CHECK(run.status == 1);
  CHECK(run.err.str().find("still has work in hand") != std::string::npos);
  CHECK(run.pauses.size() == 8);
}

TEST_CASE("a node that the cluster does not know ends with status 1, a missing word with 2") {
  fake_gateway gateway{[](auto&, auto) {
    return scripted_answer{
      .status = 404, .body = R"({"error": "there is no node 'x'", "code": "not_found"})"};
  }};
  dim_run unknown{{"node", "drain", "x"}, gateway.url()};
  CHECK(unknown.status == 1);
  CHECK(unknown.err.str().find("there is no node 'x'") != std::string::npos);
  dim_run no_word{{"node"}, gateway.url()};
  CHECK(no_word.status == 2);
}

TEST_CASE("backup asks with an absolute path and waits for the end") {
  temporary_folder folder;
  const auto path = (folder / "copy").string();
  fake_gateway gateway{[path](auto&, std::size_t before) {
    const auto state = before < 2 ? "running" : "done";
    return scripted_answer{.status = before == 0 ? 202u : 200u,
                           .body = R"({"state": ")" + std::string{state} + R"(", "folder": ")"
                                   + path + R"(", "files": 7, "bytes": 2048})"};
  }};
  dim_run run{{"backup", path}, gateway.url()};
  CHECK(run.status == 0);
  CHECK(run.out.str() == "made backup " + path + ": 7 files, 2.0 KiB\n");
  REQUIRE(gateway.requests().size() == 3);
  const auto body = nlohmann::json::parse(gateway.requests()[0].body);
  CHECK(body["folder"] == path);
  CHECK(gateway.requests()[1].method == "GET");
}

TEST_CASE("a backup that fails ends with status 1 and its reason") {
  fake_gateway gateway{[](auto&, auto) {
    return scripted_answer{.body = R"({"state": "failed", "folder": "/x", "error": "no space",
                                      "code": "store_full"})"};
  }};
  dim_run run{{"backup", "/x"}, gateway.url()};
  CHECK(run.status == 1);
  CHECK(run.err.str().find("no space") != std::string::npos);
  dim_run no_folder{{"backup"}, gateway.url()};
  CHECK(no_folder.status == 2);
}

TEST_CASE("verify and restore need no gateway, and say what is no backup") {
  temporary_folder folder;
  std::ofstream{folder / "file"} << "x";
  dim_run verify{{"backup", "verify", folder.path().string()}, "http://127.0.0.1:1"};
  CHECK(verify.status == 1);
  CHECK(verify.err.str().find("is no backup") != std::string::npos);
  dim_run full{{"restore", "/nowhere", "--data-dir", folder.path().string()},
               "http://127.0.0.1:1"};
  CHECK(full.status == 1);
  CHECK(full.err.str().find("is not an empty folder") != std::string::npos);
  dim_run no_folder{{"restore", "/nowhere"}, "http://127.0.0.1:1"};
  CHECK(no_folder.status == 2);
}
