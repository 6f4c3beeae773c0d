// The data path of a large input: how often its bytes are copied in each process.
#include <doctest/doctest.h>

#include <csignal>
#include <fstream>
#include <map>

#include "tests/cluster/local_cluster.hpp"

using namespace dim;
using nlohmann::json;

namespace {

constexpr std::int64_t rows = 65'536;
constexpr std::int64_t payload = rows * 64 * 4;  // 16 MiB of FP32

/// The line in which a stopped daemon tells what it has copied, as shares of the payload.
std::map<std::string, double> copies_in(const std::filesystem::path& log) {
  std::ifstream input{log};
  std::map<std::string, double> result;
  for (std::string line; std::getline(input, line);) {
    auto parsed = json::parse(line, nullptr, false);
    if (!parsed.is_object() || parsed.value("message", "") != "copied payloads of 64 KiB and more")
      continue;
    for (auto place :
         {"encode", "decode", "store_write", "store_read", "gather", "batch", "model_output"})
      result[place] = parsed.at(place).get<double>() / double(payload);
  }
  return result;
}

std::string large_body() {
  std::string data;
  data.reserve(rows * 64 * 4);
  for (std::int64_t index = 0; index < rows * 64; ++index)
    data += (index % 3 == 0 ? "0.5," : index % 3 == 1 ? "1.5," : "0.2,");
  data.pop_back();
  return "{\"pattern\":\"single\",\"model\":\"standardize\",\"inputs\":[{\"name\":\"x\","
         "\"datatype\":\"FP32\",\"shape\":[65536,64],\"data\":["
         + data + "]}]}";
}

}  // namespace

TEST_CASE("a 16 MiB input is copied once a process, and twice more for each hop between them") {
  tests::local_cluster cluster{1};
  auto model = tests::sample_folder() / "models" / "standardize";
  auto config = cluster.folder() / "wide.toml";
  std::ifstream source{model / "config.toml"};
  std::string text{std::istreambuf_iterator<char>{source}, {}};
  auto at = text.find("max_batch_size");
  REQUIRE(at != std::string::npos);
  text.replace(at, text.find('\n', at) - at, "max_batch_size = 65536");
  std::ofstream{config} << text;
  cluster.push("standardize", model / "1" / "model.pt", config);

  auto answer = tests::caller{cluster.port(), 120'000}.post("/api/v1/jobs", large_body());
  REQUIRE_MESSAGE(answer.status == 202, answer.body.dump());
  auto id = answer.body.at("id").get<std::string>();
  CHECK(cluster.finish_state(id) == "completed");
  cluster.node(0).signal(SIGTERM);
  CHECK(cluster.node(0).wait(std::chrono::seconds{40}) == 0);
  cluster.orchestrator().signal(SIGTERM);
  CHECK(cluster.orchestrator().wait(std::chrono::seconds{40}) == 0);

  auto orchestrator = copies_in(cluster.folder() / "orchestrator.log");
  auto node = copies_in(cluster.folder() / "node-1.log");
  for (auto& [place, share] : orchestrator)
    MESSAGE("orchestrator ", place, ": ", share);
  for (auto& [place, share] : node)
    MESSAGE("node ", place, ": ", share);
  REQUIRE(orchestrator.size() == 7);
  REQUIRE(node.size() == 7);
  // The input: into the store, out of it in chunks, onto the link. The output: off the link, then
  // gathered, then into the store.
  CHECK(orchestrator["store_write"] <= 2.01);
  CHECK(orchestrator["store_read"] <= 1.01);
  CHECK(orchestrator["encode"] <= 1.01);
  CHECK(orchestrator["decode"] <= 1.01);
  CHECK(orchestrator["gather"] <= 1.01);
  // The input: off the link, together, into the memory shared with the agent. The output: out of
  // that memory, in chunks, onto the orchestrator's link.
  CHECK(node["decode"] <= 2.01);
  CHECK(node["gather"] <= 1.01);
  CHECK(node["encode"] <= 2.01);
  CHECK(node["batch"] <= 0.01);
  CHECK(node["store_read"] <= 0.01);
  CHECK(orchestrator["store_write"] >= 1.99);
  CHECK(node["decode"] >= 1.99);
}
