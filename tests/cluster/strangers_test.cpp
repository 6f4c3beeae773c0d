// Processes of another cluster.
#include <doctest/doctest.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/cluster/local_cluster.hpp"

using namespace dim;
using tests::local_cluster;

TEST_CASE("a gateway and a node of another cluster are not let in, and their logs say why") {
  std::string name = "dim";
  tests::cluster_shape shape;
  shape.has_own_gateway = true;
  shape.place = [&name](const std::string& process, std::uint16_t) {
    tests::process_place place;
    if (process != "orchestrator")
      place.flags = {"--cluster.name=" + name};
    return place;
  };
  local_cluster cluster{shape};
  auto restart_as = [&](const std::string& other) {
    name = other;
    cluster.node(0).signal(SIGTERM);
    CHECK(cluster.node(0).wait(std::chrono::seconds{40}) == 0);
    cluster.gateway().signal(SIGTERM);
    CHECK(cluster.gateway().wait(std::chrono::seconds{40}) == 0);
    cluster.start_gateway();
    cluster.start_node(0);
  };
  auto has_told = [&](const std::string& process) {
    std::ifstream file{cluster.folder() / (process + ".log")};
    const std::string log{std::istreambuf_iterator<char>{file}, {}};
    return log.find("there is cluster 'dim' with protocol ") != log.npos;
  };
  restart_as("other");
  cluster.wait_until("both have said why they are not connected",
                     [&] { return has_told("gateway") && has_told("node-1"); });
  CHECK(cluster.get("/health/ready").status == 503);
  CHECK(cluster.get("/api/v1/nodes").status == 503);
  restart_as("dim");
  cluster.wait_until("the node is online", [&] { return cluster.nodes_online() == 1; });
  CHECK(cluster.get("/health/ready").status == 200);
}
