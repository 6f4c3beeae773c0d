// Cables that are pulled: a silent loss of packets between machines, over TLS.
#include <doctest/doctest.h>

#include <csignal>
#include <iostream>
#include <map>

#include "tests/cluster/network_namespace.hpp"
#include "tests/cluster/tls_cluster.hpp"

using namespace dim;
using namespace dim::tests;
using nlohmann::json;

namespace {

using clock_type = std::chrono::steady_clock;

constexpr int suspect_ms = 1'500;
constexpr int lost_ms = 4'000;

/// Whether this machine allows these tests; says so where it does not.
bool is_permitted() {
  auto reason = enter_private_network();
  if (!reason.empty())
    std::cout << "SKIPPED: " << reason << std::endl;
  CHECK_MESSAGE(true, "without namespaces there is nothing to check");
  return reason.empty();
}

double seconds_since(clock_type::time_point start) {
  return std::chrono::duration<double>(clock_type::now() - start).count();
}

/// The orchestrator with its gateway here, each node at the far end of a cable of its own.
class cabled_cluster {
public:
  explicit cabled_cluster(std::size_t nodes, int lost_after_ms = lost_ms) {
    for (std::size_t index = 0; index < nodes; ++index)
      cables_.push_back(std::make_unique<network_namespace>(static_cast<int>(index) + 1));
    shape.nodes = nodes;
    shape.flags = {"--cluster.heartbeat_ms=500",
                   "--cluster.suspect_ms=" + std::to_string(suspect_ms),
                   "--cluster.lost_ms=" + std::to_string(lost_after_ms),
                   "--cluster.dial_timeout_ms=1000", "--cluster.rejoin_backoff_max_ms=1000"};
    shape.place = [this](const std::string& name, std::uint16_t port) {
      process_place place;
      place.flags = tls_flags(files_.issue(name));
      if (name == "orchestrator") {
        place.flags.push_back("--cluster.bind=" + bind);
        return place;
      }
      auto& cable = *cables_.at(name.back() - '1');
      place.prefix = cable.prefix();
      for (auto& host : hosts.empty() ? std::vector{cable.near_address()} : hosts)
        place.orchestrators += (place.orchestrators.empty() ? "" : ",") + host + ":"
                               + std::to_string(port);
      return place;
    };
  }

  const network_namespace& cable(std::size_t index) const {
    return *cables_.at(index);
  }

  cluster_shape shape;
  std::string bind = "0.0.0.0";
  /// Whom the nodes dial, in this order; empty: the near end of their cable.
  std::vector<std::string> hosts;

private:
  certificate_files files_;
  std::vector<std::unique_ptr<network_namespace>> cables_;
};

std::string state_of(const local_cluster& cluster, std::size_t node) {
  auto entry = cluster.node_entry(node);
  return entry.is_object() ? entry.value("state", "") : "";
}

/// The executions of `id`, by the name of their node.
std::map<std::string, std::string> states_by_node(const local_cluster& cluster,
                                                  const std::string& id) {
  std::map<std::string, std::string> result;
  for (auto& one : cluster.executions_of(id))
    for (std::size_t node = 0; node < cluster.nodes(); ++node)
      if (one["node_id"].is_string() && one["node_id"] == cluster.node_id(node))
        result["node-" + std::to_string(node + 1)] = one["status"].get<std::string>();
  return result;
}

std::size_t events_of(const local_cluster& cluster, const std::string& id,
                      const std::string& kind) {
  std::size_t result = 0;
  auto history = cluster.get("/api/v1/jobs/" + id + "/history").body;
  for (auto& event : history["events"])
    result += event["kind"] == kind;
  return result;
}

}  // namespace

TEST_CASE("a node whose cable is pulled is suspect, then lost; its work is done by another, and it "
          "joins again when the cable is back") {
  if (!is_permitted())
    return;
  cabled_cluster cabled{2};
  local_cluster cluster{cabled.shape};
  cluster.push_samples({"digits-mlp"});
  // Agents on both, so that the one on the first node can be held.
  for (std::size_t node = 0; node < 2; ++node) {
    auto job = small_job();
    job["nodes"] = {{"include", json::array({cluster.node_id(node)})}};
    REQUIRE(cluster.finish(cluster.submit(job))["status"] == "completed");
  }
  auto agents = cluster.agents_of(0);
  REQUIRE_FALSE(agents.empty());
  for (auto& agent : agents)
    ::kill(static_cast<pid_t>(agent.pid), SIGSTOP);
  // Placed all at once, so that both nodes get some.
  REQUIRE(cluster.post("/api/v1/placement", {{"paused", true}}).status == 200);
  std::vector<std::string> ids;
  for (int index = 0; index < 8; ++index)
    ids.push_back(cluster.submit(small_job()));
  REQUIRE(cluster.post("/api/v1/placement", {{"paused", false}}).status == 200);
  std::vector<std::string> held;
  cluster.wait_until("work hangs on the first node", [&] {
    for (auto& id : ids)
      if (states_by_node(cluster, id)["node-1"] == "running")
        held.push_back(id);
    return !held.empty();
  });
  auto start = clock_type::now();
  cabled.cable(0).cut();
  cluster.wait_until("it is suspect", [&] { return state_of(cluster, 0) == "suspect"; });
  auto suspect_s = seconds_since(start);
  cluster.wait_until("it is lost", [&] { return state_of(cluster, 0) == "offline"; });
  auto lost_s = seconds_since(start);
  for (auto& id : held)
    CHECK(cluster.finish(id)["status"] == "completed");
  auto done_s = seconds_since(start);
  MESSAGE("suspect after ", suspect_s, " s, lost after ", lost_s, " s, work done after ", done_s,
          " s");
  CHECK(suspect_s > suspect_ms / 1000.0 - 0.6);
  CHECK(lost_s < lost_ms / 1000.0 + 2);
  CHECK(done_s < lost_ms / 1000.0 + 2);
  for (auto& id : held) {
    auto where = states_by_node(cluster, id);
    CHECK(where["node-1"] == "lost");
    CHECK(where["node-2"] == "completed");
  }
  for (auto& agent : agents)
    ::kill(static_cast<pid_t>(agent.pid), SIGCONT);
  cabled.cable(0).heal();
  start = clock_type::now();
  cluster.wait_until("it has joined again", [&] { return cluster.nodes_online() == 2; });
  MESSAGE("joined again ", seconds_since(start), " s after the cable was back");
  for (auto& id : ids) {
    CHECK(cluster.finish(id)["status"] == "completed");
    CHECK(events_of(cluster, id, "job_completed") == 1);
  }
  auto again = small_job();
  again["nodes"] = {{"include", json::array({cluster.node_id(0)})}};
  CHECK(cluster.finish(cluster.submit(again))["status"] == "completed");
}

TEST_CASE("a short cut breaks nothing: a node that was suspect is online again") {
  if (!is_permitted())
    return;
  cabled_cluster cabled{1, 15'000};
  local_cluster cluster{cabled.shape};
  cluster.push_samples({"digits-mlp"});
  cabled.cable(0).cut();
  cluster.wait_until("it is suspect", [&] { return state_of(cluster, 0) == "suspect"; });
  cabled.cable(0).heal();
  cluster.wait_until("it is online", [&] { return state_of(cluster, 0) == "online"; });
  CHECK(cluster.count_in_log("node-1", "lost connection") == 0);
  CHECK(cluster.finish(cluster.submit(small_job()))["status"] == "completed");
}

TEST_CASE("a node finds the orchestrator behind the second of its addresses, and behind the first "
          "when it moves there") {
  if (!is_permitted())
    return;
  cabled_cluster cabled{1};
  auto first = std::string{"10.77.1.8"};
  auto second = std::string{"10.77.1.9"};
  cabled.cable(0).add_near_address(first);
  cabled.cable(0).add_near_address(second);
  // Packets for the documentation's own network are dropped without a word.
  cabled.hosts = {"192.0.2.1", first, second};
  cabled.bind = second;
  local_cluster cluster{cabled.shape};
  cluster.push_samples({"digits-mlp"});
  CHECK(cluster.finish(cluster.submit(small_job()))["status"] == "completed");
  cabled.bind = first;
  cluster.orchestrator().kill();
  cluster.start_orchestrator();
  auto start = clock_type::now();
  cluster.wait_until("the node has found it", [&] { return cluster.nodes_online() == 1; });
  MESSAGE("found ", seconds_since(start), " s after the orchestrator was there");
  CHECK(cluster.finish(cluster.submit(small_job()))["status"] == "completed");
}
