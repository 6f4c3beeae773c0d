// Processes that stop without ending (SIGSTOP): their connections stay open, and they say nothing.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <ctime>
#include <map>

#include "tests/cluster/job_load.hpp"
#include "tests/cluster/local_cluster.hpp"

using namespace dim;
using nlohmann::json;
using tests::cluster_shape;
using tests::local_cluster;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t suspect_ms = 1'000;
constexpr std::int64_t lost_ms = 3'000;

/// Times that a test can wait for.
std::vector<std::string> short_times() {
  return {"--cluster.heartbeat_ms=250", "--cluster.suspect_ms=" + std::to_string(suspect_ms),
          "--cluster.lost_ms=" + std::to_string(lost_ms), "--cluster.rejoin_backoff_max_ms=500",
          "--orchestrator.straggler_wait_ms=1000"};
}

json small_job() {
  return {{"pattern", "single"},
          {"model", "digits-mlp"},
          {"inputs", json::array({tests::digit_input(tests::sample_digits().front().pixels)})}};
}

/// Lets every node load the model, so that each has an agent. All must agree, so that no score is
/// still on its way afterwards.
void warm_up(local_cluster& cluster) {
  cluster.push_samples({"digits-mlp"});
  auto job = small_job();
  job["pattern"] = "replicated";
  job["redundancy"] = cluster.nodes();
  job["consensus"] = cluster.nodes();
  CHECK(cluster.finish(cluster.submit(job))["status"] == "completed");
  for (std::size_t index = 0; index < cluster.nodes(); ++index)
    cluster.wait_until("node has an agent", [&] { return cluster.agents_of(index).size() == 1; });
}

void signal_agents(const local_cluster& cluster, std::size_t index, int number) {
  for (auto& agent : cluster.agents_of(index))
    ::kill(static_cast<pid_t>(agent.pid), number);
}

/// The node where a lone job runs; empty while the nodes are not worth the same.
std::string choice_among_equals(const local_cluster& cluster) {
  auto id = cluster.submit(small_job());
  CHECK(cluster.finish(id)["status"] == "completed");
  auto placed = cluster.get("/api/v1/jobs/" + id + "/placement").body.at("placements").at(0);
  auto& candidates = placed.at("candidates");
  REQUIRE(candidates.size() == cluster.nodes());
  for (auto& each : candidates)
    if (each.at("score") != candidates.at(0).at("score"))
      return {};
  return placed.at("node_id");
}

/// Of nodes that are worth the same, placement always takes the same one. They are so when their
/// scores have come to SCHEDULER, and the heartbeats that tell of the model.
std::size_t preferred_node(const local_cluster& cluster) {
  std::string chosen;
  cluster.wait_until("the nodes are worth the same", [&] {
    chosen = choice_among_equals(cluster);
    return !chosen.empty();
  });
  std::size_t index = 0;
  while (cluster.node_id(index) != chosen)
    ++index;
  return index;
}

std::string state_of(const local_cluster& cluster, std::size_t index) {
  auto entry = cluster.node_entry(index);
  return entry.is_object() ? entry.at("state").get<std::string>() : std::string{};
}

/// Milliseconds since 1970 of a time such as 2026-01-31T12:00:00.123Z.
std::int64_t parsed_ms(const std::string& text) {
  std::tm parts{};
  auto rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  REQUIRE(rest != nullptr);
  return std::int64_t{::timegm(&parts)} * 1'000 + std::stoll(rest + 1);
}

/// What became of jobs of which a frozen node had executions in hand.
struct outcome {
  std::size_t lost = 0;
  /// When the last execution was placed anew.
  std::int64_t placed_again_at = 0;
};

/// Checks that every execution counts once, and gathers the rest.
void look_at(const local_cluster& cluster, const std::string& id, const std::string& frozen_node,
             outcome& result) {
  std::size_t completed = 0;
  for (auto& execution : cluster.executions_of(id)) {
    auto is_lost = execution["node_id"] == frozen_node && execution["status"] == "lost";
    result.lost += is_lost ? 1 : 0;
    completed += execution["status"] == "completed" ? 1 : 0;
    if (execution["attempt"] > 1)
      result.placed_again_at =
        std::max(result.placed_again_at, parsed_ms(execution["scheduled_at"].get<std::string>()));
  }
  CHECK(completed == 1);
  auto history = cluster.get("/api/v1/jobs/" + id + "/history").body;
  std::map<std::string, std::size_t> kinds;
  for (auto& event : history["events"])
    ++kinds[event["kind"].get<std::string>()];
  CHECK(kinds["job_completed"] == 1);
  CHECK(kinds["execution_completed"] == 1);
}

}  // namespace

TEST_CASE("a frozen node is suspected, then lost, others do its work, and it comes back") {
  local_cluster cluster{3, short_times()};
  warm_up(cluster);
  auto frozen = preferred_node(cluster);
  auto frozen_id = cluster.node_id(frozen);
  auto reputation = cluster.node_entry(frozen).at("reputation_score").get<double>();
  // With its agent frozen the node can not end what it is given.
  signal_agents(cluster, frozen, SIGSTOP);
  std::vector<std::string> ids;
  for (int index = 0; index < 12; ++index)
    ids.push_back(cluster.submit(small_job()));
  std::size_t in_hand = 0;
  cluster.wait_until("every job is placed", [&] {
    std::size_t placed = 0;
    in_hand = 0;
    for (auto& id : ids)
      for (auto& execution : cluster.executions_of(id)) {
        ++placed;
        in_hand += execution["node_id"] == frozen_id;
      }
    return placed == ids.size();
  });
  REQUIRE(in_hand > 0);
  cluster.node(frozen).freeze();
  auto frozen_at = tests::wall_ms();
  cluster.wait_until("the node is suspected",
                     [&] { return state_of(cluster, frozen) == "suspect"; });
  auto suspected_after = tests::wall_ms() - frozen_at;
  cluster.wait_until("the node is lost", [&] { return state_of(cluster, frozen) == "offline"; });
  auto lost_after = tests::wall_ms() - frozen_at;
  for (auto& id : ids)
    CHECK(cluster.finish(id)["status"] == "completed");
  MESSAGE("suspected after ", suspected_after, " ms, lost after ", lost_after, " ms");
  // The last heartbeat before the stop was up to 250 ms earlier.
  CHECK(suspected_after >= suspect_ms - 300);
  CHECK(lost_after >= lost_ms - 300);
  CHECK(lost_after <= lost_ms + 2'000);
  CHECK(cluster.node_entry(frozen).at("reputation_score").get<double>() == reputation - 20);

  cluster.node(frozen).thaw();
  signal_agents(cluster, frozen, SIGCONT);
  cluster.wait_until("the node is back", [&] { return cluster.nodes_online() == 3; });
  CHECK(cluster.node(frozen).is_running());
  auto again = small_job();
  again["nodes"] = {{"include", json::array({frozen_id})}};
  auto job = cluster.finish(cluster.submit(again));
  CHECK(job["status"] == "completed");
  // The same process with the same actor, and so with the same incarnation; it has told of its
  // second join by now, since it has worked.
  CHECK(cluster.count_in_log("node-" + std::to_string(frozen + 1), "joined the cluster") == 2);

  outcome found;
  for (auto& id : ids)
    look_at(cluster, id, frozen_id, found);
  MESSAGE(found.lost, " executions were lost and placed again after ",
          found.placed_again_at - frozen_at, " ms");
  CHECK(found.lost == in_hand);
  CHECK(found.placed_again_at - frozen_at <= lost_ms + 2'000);
  CHECK(cluster.node_entry(frozen).at("reputation_score").get<double>() == reputation - 20);
}

TEST_CASE(
  "a frozen orchestrator is given up by gateway and nodes, and taken back when it goes on") {
  local_cluster cluster{cluster_shape{2, true, short_times()}};
  warm_up(cluster);
  CHECK(cluster.post("/api/v1/placement", {{"paused", true}}).status == 200);
  std::vector<std::string> ids;
  for (int index = 0; index < 10; ++index)
    ids.push_back(cluster.submit(small_job()));
  cluster.orchestrator().freeze();
  auto frozen_at = tests::wall_ms();
  for (auto name : {"gateway", "node-1", "node-2"})
    cluster.wait_until("its connection is given up",
                       [&] { return cluster.count_in_log(name, "lost connection") == 1; });
  auto noticed_after = tests::wall_ms() - frozen_at;
  MESSAGE("noticed by all after ", noticed_after, " ms");
  CHECK(noticed_after >= lost_ms - 300);
  CHECK(noticed_after <= lost_ms + 2'000);
  CHECK(cluster.get("/health/ready").status == 503);
  CHECK(cluster.post("/api/v1/jobs", small_job()).status == 503);

  cluster.orchestrator().thaw();
  cluster.wait_until("it serves again", [&] { return cluster.get("/health/ready").status == 200; });
  cluster.wait_until("both nodes are back", [&] { return cluster.nodes_online() == 2; });
  CHECK(cluster.post("/api/v1/placement", {{"paused", false}}).status == 200);
  for (auto& id : ids)
    CHECK(cluster.finish(id)["status"] == "completed");
  CHECK(cluster.finish(cluster.submit(small_job()))["status"] == "completed");
}

TEST_CASE("a frozen agent is killed when its time is over, and the work runs elsewhere") {
  local_cluster cluster{2, {"--agent.timeout_ms=1500"}};
  warm_up(cluster);
  auto index = preferred_node(cluster);
  auto agents = cluster.agents_of(index);
  REQUIRE(agents.size() == 1);
  signal_agents(cluster, index, SIGSTOP);

  auto id = cluster.submit(small_job());
  auto job = cluster.finish(id);
  INFO(job.value("error", json{}).dump());
  CHECK(job["status"] == "completed");
  auto executions = cluster.executions_of(id);
  REQUIRE(executions.size() == 2);
  CHECK(executions[0]["error_code"] == "agent_timeout");
  CHECK(executions[1]["node_id"] != executions[0]["node_id"]);
  for (auto& agent : cluster.agents_of(index))
    CHECK(agent.pid != agents.front().pid);
}
