// dim bench.
#include <cstring>
#include <fstream>
#include <sstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/support/temporary_folder.hpp"
#include "tests/tools/dim_run.hpp"
#include "tests/tools/fake_gateway.hpp"
#include "tools/dim/bench_picture.hpp"
#include "tools/dim/bench_request.hpp"

using namespace dim;
using namespace dim::tests;
using json = nlohmann::ordered_json;

namespace {

const json model = {{"name", "m"},
                    {"versions", {"1"}},
                    {"inputs",
                     {{{"name", "x"}, {"datatype", "FP32"}, {"shape", {-1, 3}}},
                      {{"name", "n"}, {"datatype", "INT64"}, {"shape", {2}}}}}};

json input(const std::string& datatype, const json& shape) {
  return {{"inputs", {{{"name", "x"}, {"datatype", datatype}, {"shape", shape}}}}};
}

/// Tells of `model`, and closes that connection, for it serves one at a time; then answers.
fake_gateway gateway_with(unsigned status) {
  return fake_gateway{[status](const seen_request& request, auto) {
    if (request.method == "GET")
      return scripted_answer{.body = model.dump(), .headers = {{"Connection", "close"}}};
    return scripted_answer{.status = status, .body = R"({"outputs": []})"};
  }};
}

const std::vector<std::string> short_run{"bench",     "m", "--connections", "1", "--seconds", "0.2",
                                         "--warm-up", "0"};

std::vector<std::string> with(std::vector<std::string> more) {
  more.insert(more.begin(), short_run.begin(), short_run.end());
  return more;
}

}  // namespace

TEST_CASE("a request has every input of the model, in its datatype and shape") {
  tools::bench_wish wish;
  wish.batch = 4;
  auto made = tools::make_bench_request(model, wish);
  REQUIRE(made);
  CHECK(made->rows == 4);
  CHECK(made->json_bytes == made->body.size());
  auto body = json::parse(made->body);
  REQUIRE(body["inputs"].size() == 2);
  CHECK(body["inputs"][0]["shape"] == json{4, 3});
  CHECK(body["inputs"][0]["data"].size() == 12);
  for (auto& value : body["inputs"][0]["data"])
    CHECK(std::abs(value.get<double>()) <= 1);
  CHECK(body["inputs"][1]["data"].size() == 2);
  CHECK(body["inputs"][1]["data"][0].is_number_integer());
  CHECK(tools::make_bench_request(model, wish)->body == made->body);
  wish.seed = 2;
  CHECK(tools::make_bench_request(model, wish)->body != made->body);
}

TEST_CASE("a binary request carries the same tensors as bytes behind its JSON") {
  tools::bench_wish wish;
  wish.is_binary = true;
  auto made = tools::make_bench_request(model, wish);
  REQUIRE(made);
  auto head = json::parse(made->body.substr(0, made->json_bytes));
  CHECK(head["inputs"][0]["parameters"]["binary_data_size"] == 12);
  CHECK(head["inputs"][1]["parameters"]["binary_data_size"] == 16);
  CHECK(head["parameters"]["binary_data_output"] == true);
  CHECK(made->body.size() == made->json_bytes + 28);
  wish.is_binary = false;
  auto plain = json::parse(tools::make_bench_request(model, wish)->body);
  float first = 0;
  std::memcpy(&first, made->body.data() + made->json_bytes, sizeof(first));
  CHECK(first == doctest::Approx(plain["inputs"][0]["data"][0].get<double>()));
}

TEST_CASE("texts, truth values and sixteen-bit numbers have their form") {
  tools::bench_wish wish;
  auto texts = json::parse(tools::make_bench_request(input("BYTES", {2}), wish)->body);
  CHECK(texts["inputs"][0]["data"][1].get<std::string>().size() == 16);
  auto truths = json::parse(tools::make_bench_request(input("BOOL", {2}), wish)->body);
  CHECK(truths["inputs"][0]["data"][0].is_boolean());
  CHECK(tools::make_bench_request(input("FP16", {2}), wish).error().status
        == tools::exit_status::usage);
  wish.is_binary = true;
  CHECK(json::parse(tools::make_bench_request(input("BYTES", {2}), wish)->body.substr(
          0, tools::make_bench_request(input("BYTES", {2}), wish)->json_bytes))["inputs"][0]
          ["parameters"]["binary_data_size"] == 40);
  for (const std::string datatype : {"FP16", "BF16"}) {
    auto made = tools::make_bench_request(input(datatype, {3}), wish);
    REQUIRE(made);
    CHECK(made->body.size() == made->json_bytes + 6);
  }
}

TEST_CASE("open dimensions and whole shapes can be given, and mistakes are told") {
  tools::bench_wish wish;
  wish.size = 7;
  auto sized = json::parse(tools::make_bench_request(input("FP32", {-1, -1}), wish)->body);
  CHECK(sized["inputs"][0]["shape"] == json{1, 7});
  wish.shapes = {"x=2x5"};
  auto shaped = json::parse(tools::make_bench_request(input("FP32", {-1, -1}), wish)->body);
  CHECK(shaped["inputs"][0]["shape"] == json{2, 5});
  for (const std::string wrong :
       {"y=2", "x", "x=", "x=2x", "x=a", "=2", "x=99999999999x99999999999"}) {
    wish.shapes = {wrong};
    CAPTURE(wrong);
    CHECK(!tools::make_bench_request(input("FP32", {-1}), wish));
  }
}

TEST_CASE("bench loads the model, prints its figures, and ends with 0") {
  auto gateway = gateway_with(200);
  dim_run run{short_run, gateway.url()};
  CAPTURE(run.err.str());
  CHECK(run.status == 0);
  CHECK(run.out.str().find("m: 1 connections, closed loop, JSON, 1 rows") == 0);
  CHECK(run.out.str().find("p99.9") != std::string::npos);
  REQUIRE(gateway.requests().size() > 2);
  CHECK(gateway.requests()[0].target == "/v2/models/m");
  CHECK(gateway.requests()[1].target == "/v2/models/m/infer");
  CHECK(json::parse(gateway.requests()[1].body)["inputs"].size() == 2);
}

TEST_CASE("for programs there are figures and the histogram, and a picture in its file") {
  temporary_folder folder;
  auto file = (folder.path() / "latency.svg").string();
  auto gateway = gateway_with(200);
  dim_run run{with({"--json", "--binary", "--rate", "100", "--svg", file}), gateway.url()};
  CHECK(run.status == 0);
  auto result = json::parse(run.out.str());
  CHECK(result["mode"] == "rate");
  CHECK(result["encoding"] == "binary");
  CHECK(result["answered"].get<int>() >= 10);
  CHECK(result["answered"].get<int>() <= 20);
  std::uint64_t counted = 0;
  for (auto& bucket : result["histogram_ns"])
    counted += bucket["count"].get<std::uint64_t>();
  CHECK(counted == result["answered"]);
  auto request = gateway.requests().at(1);
  CHECK(request.headers.at("inference-header-content-length")
        == std::to_string(request.body.size() - 28));
  std::stringstream picture;
  picture << std::ifstream{file}.rdbuf();
  CHECK(picture.str().find("<svg") == 0);
  CHECK(picture.str().find("p99 ") != std::string::npos);
  CHECK(picture.str().find("m: 1 connections, 100 requests a second, binary") != std::string::npos);
}

TEST_CASE("a picture that can not be written is told before the model is loaded") {
  auto gateway = gateway_with(200);
  dim_run run{with({"--svg", "/nonexistent/x.svg"}), gateway.url()};
  CHECK(run.status == 2);
  CHECK(run.err.str() == "dim: --svg: can not write /nonexistent/x.svg\n");
  CHECK(gateway.requests().size() == 1);
}

TEST_CASE("figures are printed also when the picture can not be written at the end") {
  auto gateway = gateway_with(200);
  dim_run run{with({"--svg", "/dev/full"}), gateway.url()};
  CHECK(run.status == 2);
  CHECK(run.out.str().find("p99.9") != std::string::npos);
  CHECK(run.err.str() == "dim: --svg: can not write /dev/full\n");
}

TEST_CASE("a rate below one a second is told as it is") {
  auto gateway = gateway_with(200);
  dim_run run{with({"--rate", "0.5"}), gateway.url()};
  CHECK(run.status == 0);
  CHECK(run.out.str().find("m: 1 connections, 0.5 requests a second") == 0);
}

TEST_CASE("errors of the model are counted, and end bench with 1") {
  auto gateway = gateway_with(503);
  dim_run run{with({"--json"}), gateway.url()};
  CHECK(run.status == 1);
  auto result = json::parse(run.out.str());
  CHECK(result["answered"] == 0);
  CHECK(result["errors"].get<int>() > 0);
  CHECK(result["first_error"].get<std::string>().find("status 503") == 0);
}

TEST_CASE("bench of a gateway that is away ends with 3, and a wrong command line with 2") {
  CHECK(dim_run{short_run, "http://127.0.0.1:1"}.status == 3);
  CHECK(dim_run{{"bench"}, "http://127.0.0.1:1"}.status == 2);
  const std::pair<std::vector<std::string>, std::string> wrong[] = {
    {{"--rate", "-1"}, "--rate: expected a number above 0, got -1"},
    {{"--seconds", "0"}, "--seconds: expected a number above 0, got 0"},
    {{"--seconds", "inf"}, "--seconds: expected a number above 0, got inf"},
    {{"--batch", "0"}, "--batch: expected a number above 0, got 0"},
    {{"--warm-up", "-2"}, "--warm-up: expected a number that is not below 0, got -2"}};
  for (const auto& [flags, words] : wrong) {
    auto arguments = flags;
    arguments.insert(arguments.begin(), {"bench", "m"});
    const dim_run run{arguments, "http://127.0.0.1:1"};
    CHECK(run.status == 2);
    CHECK(run.err.str().starts_with("dim: " + words + "\n"));
  }
}

TEST_CASE("a picture without answers says so, and its title can not break it") {
  auto picture = tools::latency_picture({}, "a<b&c");
  CHECK(picture.find("no answers") != std::string::npos);
  CHECK(picture.find("a&lt;b&amp;c") != std::string::npos);
}

TEST_CASE("a picture has ticks wherever the latencies lie, and tells how high its bars are") {
  using std::chrono::microseconds;
  for (auto [low, high] : {std::pair{6'700, 7'100}, {1'000, 1'001}, {2'100, 4'900}, {90, 40'000}}) {
    tools::latency_histogram latencies;
    for (int count = 0; count < 30; ++count)
      latencies.add(microseconds{low});
    latencies.add(microseconds{high});
    auto picture = tools::latency_picture(latencies, "m");
    auto ticks = 0;
    for (auto at = picture.find("y=\"370\""); at != std::string::npos;
         at = picture.find("y=\"370\"", at + 1))
      ++ticks;
    CHECK(ticks >= 3);
    auto highest = high - low > 1 ? ">30</text>" : ">31</text>";
    CHECK(picture.find(highest) != std::string::npos);
    CHECK(picture.find(">answers</text>") != std::string::npos);
  }
}

TEST_CASE("a latency in a picture has no more digits than mean something") {
  tools::latency_histogram latencies;
  latencies.add(std::chrono::nanoseconds{5'750'781});
  auto picture = tools::latency_picture(latencies, "m");
  auto name = picture.find("p50 ");
  REQUIRE(name != std::string::npos);
  auto text = picture.substr(name, picture.find('<', name) - name);
  CHECK(text.size() <= std::string{"p50 5.750 ms"}.size());
}
