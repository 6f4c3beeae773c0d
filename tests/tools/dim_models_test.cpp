#include <fstream>

#include <doctest/doctest.h>

#include "runtime/digest.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/tools/dim_run.hpp"
#include "tests/tools/fake_gateway.hpp"
#include "tools/dim/model_file.hpp"

using namespace dim::tests;

namespace {

/// A gateway that says how much it has, and takes the rest.
scripted_answer uploading(const seen_request& request, std::uint64_t received) {
  if (request.headers.at("content-range").starts_with("bytes */"))
    return {.status = 202, .body = R"({"received": )" + std::to_string(received) + "}"};
  return {.status = 201, .body = R"({"name": "m", "version": "4"})"};
}

}  // namespace

TEST_CASE("push streams the file with its digest, size and configuration") {
  temporary_folder folder;
  const std::string file = folder / "model.pt";
  const std::string config = folder / "config.toml";
  std::string content(3'000'000, '\0');
  for (std::size_t i = 0; i < content.size(); ++i)
    content[i] = static_cast<char>(i * 7 + i / 251);
  std::ofstream{file, std::ios::binary} << content;
  std::ofstream{config} << "max_batch_size = 8\n";
  fake_gateway gateway{[](auto& request, auto) { return uploading(request, 0); }};
  dim_run run{{"push", "m", file, "--config", config, "--version", "4"}, gateway.url()};
  CHECK(run.status == 0);
  CHECK(run.out.str() == "m:4\n");
  for (const auto& request : gateway.requests()) {
    CHECK(request.method == "POST");
    CHECK(request.target == "/api/v1/models?name=m&version=4");
    CHECK(request.headers.at("digest") == *dim::tools::digest_of_file(file));
    CHECK(request.headers.at("x-dim-model-config") == dim::tools::base64("max_batch_size = 8\n"));
  }
  const auto asked = gateway.requests().at(0);
  CHECK(asked.headers.at("content-range") == "bytes */3000000");
  CHECK(asked.headers.at("content-length") == "0");
  const auto sent = gateway.requests().at(1);
  CHECK(sent.headers.at("content-range") == "bytes 0-2999999/3000000");
  CHECK(sent.headers.at("content-length") == "3000000");
  CHECK((sent.body == content));
}

TEST_CASE("push goes on with what an earlier one has left") {
  temporary_folder folder;
  const std::string file = folder / "model.pt";
  std::ofstream{file} << "0123456789";
  fake_gateway gateway{[](auto& request, auto) { return uploading(request, 7); }};
  dim_run run{{"push", "m", file, "--config", "/dev/null"}, gateway.url()};
  CHECK(run.status == 0);
  CHECK(gateway.requests().at(1).headers.at("content-range") == "bytes 7-9/10");
  CHECK(gateway.requests().at(1).body == "789");
}

TEST_CASE("push asks again where it is when the connection broke, another came first or it waits") {
  temporary_folder folder;
  const std::string file = folder / "model.pt";
  std::ofstream{file} << "0123456789";
  fake_gateway gateway{[](auto& request, auto before) {
    switch (before) {
      case 1:
        return scripted_answer::closed();
      case 3:
        return scripted_answer{.status = 409, .headers = {{"Retry-After", "1"}}};
      case 5:
        return scripted_answer{.status = 503, .headers = {{"Retry-After", "2"}}};
      default:
        return uploading(request, before);
    }
  }};
  dim_run run{{"push", "m", file, "--config", "/dev/null"}, gateway.url()};
  CHECK(run.status == 0);
  CHECK(run.out.str() == "m:4\n");
  CHECK(run.err.str().find("going on from what has arrived") != std::string::npos);
  CHECK(run.pauses == std::vector<std::int64_t>{200, 1'000, 2'000});
  REQUIRE(gateway.requests().size() == 8);
  CHECK(gateway.requests().at(7).headers.at("content-range") == "bytes 6-9/10");
  CHECK(gateway.requests().at(7).body == "6789");
}

TEST_CASE("push ends when nothing moves for its patience, or the server says no") {
  temporary_folder folder;
  const std::string file = folder / "model.pt";
  std::ofstream{file} << "0123456789";
  fake_gateway away{[](auto& request, auto before) {
    return before % 2 == 0 ? uploading(request, 3) : scripted_answer::closed();
  }};
  dim_run stuck{{"push", "m", file, "--config", "/dev/null", "--retry-ms", "2000"}, away.url()};
  CHECK(stuck.status == 3);
  CHECK(stuck.pauses == std::vector<std::int64_t>{200, 400, 800});
  fake_gateway strict{[](auto&, auto) {
    return scripted_answer{.status = 409,
                           .body = R"({"error": "other bytes", "code": "conflict"})"};
  }};
  dim_run refused{{"push", "m", file, "--config", "/dev/null"}, strict.url()};
  CHECK(refused.status == 1);
  CHECK(refused.err.str().find("other bytes") != std::string::npos);
  CHECK(refused.pauses.empty());
  CHECK(strict.requests().size() == 1);
}

TEST_CASE("push of a version that is there already sends nothing") {
  temporary_folder folder;
  const std::string file = folder / "model.pt";
  std::ofstream{file} << "0123456789";
  fake_gateway gateway{[](auto&, auto) {
    return scripted_answer{.status = 200, .body = R"({"name": "m", "version": "4"})"};
  }};
  dim_run run{{"push", "m", file, "--config", "/dev/null", "--version", "4"}, gateway.url()};
  CHECK(run.out.str() == "m:4\n");
  CHECK(gateway.requests().size() == 1);
}

TEST_CASE("the digest is SHA-256 in base64") {
  temporary_folder folder;
  const std::string file = folder / "abc";
  std::ofstream{file} << "abc";
  CHECK(*dim::tools::digest_of_file(file)
        == "sha-256=ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
}

TEST_CASE("push without a version leaves the choice to the server") {
  temporary_folder folder;
  const std::string file = folder / "model.pt";
  std::ofstream{file} << "x";
  fake_gateway gateway{[](auto&, auto) { return scripted_answer{.status = 201}; }};
  dim_run{{"push", "m", file, "--config", file}, gateway.url()};
  CHECK(gateway.requests().at(0).target == "/api/v1/models?name=m");
}

TEST_CASE("push draws its progress on a terminal") {
  temporary_folder folder;
  const std::string file = folder / "model.pt";
  std::ofstream{file} << std::string(300 << 10, 'x');
  fake_gateway gateway{[](auto& request, auto) { return uploading(request, 0); }};
  dim_run run{{"push", "m", file, "--config", "/dev/null"}, gateway.url(), "", 80};
  CHECK(run.out.str().find("256.0 KiB of 300.0 KiB") != std::string::npos);
  CHECK(run.out.str().ends_with("\r\x1b[Km:4\n"));
}

TEST_CASE("files that can not be read end with status 2 and send nothing") {
  fake_gateway gateway{[](auto&, auto) { return scripted_answer{}; }};
  dim_run no_file{{"push", "m", "/nowhere/model.pt", "--config", "/dev/null"}, gateway.url()};
  CHECK(no_file.status == 2);
  dim_run no_config{{"push", "m", "/dev/null", "--config", "/nowhere/config.toml"}, gateway.url()};
  CHECK(no_config.status == 2);
  temporary_folder folder;
  const std::string large = folder / "config.toml";
  std::ofstream{large} << std::string(45'001, '#');
  dim_run large_config{{"push", "m", "/dev/null", "--config", large}, gateway.url()};
  CHECK(large_config.status == 2);
  CHECK(gateway.requests().empty());
}

TEST_CASE("models are a table, all of them or the versions of one") {
  const std::string versions = R"([{"name": "digits", "version": "2", "byte_size": 2048,
    "digest": "0123456789abcdef", "max_batch_size": 32, "created_at": "2025-11-20T15:04:05.000Z",
    "inputs": [{"name": "x", "datatype": "FP32", "dims": [64]}],
    "outputs": [{"name": "y", "datatype": "FP32", "dims": [10]}]}])";
  fake_gateway gateway{[versions](const seen_request& request, auto) {
    const bool is_all = request.target == "/api/v1/models";
    return scripted_answer{.body = is_all
                                     ? R"({"models": )" + versions + "}"
                                     : R"({"name": "digits", "versions": )" + versions + "}"};
  }};
  dim_run all{{"models"}, gateway.url()};
  CHECK(all.status == 0);
  CHECK(all.out.str().find("digits        2  2.0 KiB  x FP32[64]  y FP32[10]     32  "
                           "2025-11-20 15:04:05  0123456789ab\n")
        != std::string::npos);
  dim_run one{{"models", "digits"}, gateway.url()};
  CHECK(one.out.str() == all.out.str());
  CHECK(gateway.requests().back().target == "/api/v1/models/digits");
}

TEST_CASE("remove deletes a model, or one version of it") {
  fake_gateway gateway{[](auto&, auto) { return scripted_answer{.body = R"({"models": []})"}; }};
  dim_run all{{"remove", "digits"}, gateway.url()};
  CHECK(all.out.str() == "removed digits\n");
  dim_run one{{"remove", "digits", "2"}, gateway.url()};
  CHECK(one.out.str() == "removed digits:2\n");
  CHECK(gateway.requests()[0].target == "/api/v1/models/digits");
  CHECK(gateway.requests()[1].target == "/api/v1/models/digits/versions/2");
  CHECK(gateway.requests()[1].method == "DELETE");
}
