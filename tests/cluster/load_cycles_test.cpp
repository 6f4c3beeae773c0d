// A model is loaded, asked and unloaded again and again: nothing may grow.
#include <doctest/doctest.h>

#include <cstdio>
#include <vector>

#include "runtime/machine.hpp"
#include "tests/cluster/local_cluster.hpp"

using namespace dim;
using nlohmann::json;
using tests::local_cluster;

namespace {

constexpr int cycles = 200;
/// The first ones fill caches and pools.
constexpr int settling = 50;

double memory_of(const tests::process& each) {
  return static_cast<double>(runtime::process_memory(each.pid()).value_or(0));
}

/// The slope of a straight line through the points (least squares), in bytes a cycle.
double slope_of(const std::vector<double>& bytes) {
  const auto count = static_cast<double>(bytes.size());
  double sum_x = 0;
  double sum_y = 0;
  double sum_xy = 0;
  double sum_xx = 0;
  for (std::size_t index = 0; index < bytes.size(); ++index) {
    const auto x = static_cast<double>(index);
    sum_x += x;
    sum_y += bytes[index];
    sum_xy += x * bytes[index];
    sum_xx += x * x;
  }
  return (count * sum_xy - sum_x * sum_y) / (count * sum_xx - sum_x * sum_x);
}

}  // namespace

TEST_CASE("200 cycles of load, inference and unload leave no memory behind") {
  local_cluster cluster{1};
  cluster.push_samples({"digits-mlp"});
  const auto& digit = tests::sample_digits().front();
  const json request{{"inputs", json::array({tests::digit_input(digit.pixels)})}};
  std::vector<double> orchestrator;
  std::vector<double> node;
  for (int cycle = 0; cycle < cycles; ++cycle) {
    REQUIRE(cluster.post("/v2/repository/models/digits-mlp/load", json::object()).status == 200);
    REQUIRE(cluster.post("/v2/models/digits-mlp/infer", request).status == 200);
    REQUIRE(cluster.post("/v2/repository/models/digits-mlp/unload", json::object()).status == 200);
    if (cycle < settling)
      continue;
    orchestrator.push_back(memory_of(cluster.orchestrator()));
    node.push_back(memory_of(cluster.node(0)));
  }
  std::printf("bytes a cycle: orchestrator %.0f, node %.0f\n", slope_of(orchestrator),
              slope_of(node));
  CHECK(slope_of(orchestrator) < 8'192);
  CHECK(slope_of(node) < 8'192);
  CHECK(cluster.agents_of(0).empty());
}
