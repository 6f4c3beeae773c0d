// What operators do with a running cluster: drain, quarantine, backup and restore.
#include <doctest/doctest.h>

#include <csignal>
#include <cstdlib>
#include <fstream>

#include "tests/cluster/local_cluster.hpp"

using namespace dim;
using nlohmann::json;
using tests::local_cluster;

namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

json small_job() {
  return {{"pattern", "single"},
          {"model", "digits-mlp"},
          {"inputs", json::array({tests::digit_input(tests::sample_digits().front().pixels)})}};
}

/// Runs `dim` and returns its exit status.
int run_dim(const local_cluster& cluster, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(),
                   {"--url", "http://127.0.0.1:" + std::to_string(cluster.port())});
  tests::process run{tests::program_path("dim"), arguments, cluster.folder() / "dim.log"};
  return run.wait(std::chrono::seconds{60}).value_or(-1);
}

double reputation_of(const local_cluster& cluster, std::size_t index) {
  return cluster.node_entry(index).value("reputation_score", 0.0);
}

/// A program that fails until `healthy` exists, and then is the real agent.
fs::path make_fragile_agent(const fs::path& folder, const fs::path& healthy) {
  auto path = folder / "fragile-agent";
  std::ofstream{path} << "#!/bin/sh\n[ -e " << healthy.string() << " ] || exit 7\nexec "
                      << tests::program_path("dim-agent") << " \"$@\"\n";
  fs::permissions(path, fs::perms::owner_all);
  return path;
}

}  // namespace

TEST_CASE("a drained node ends with status 0, and no job and no reputation is lost") {
  local_cluster cluster{2};
  cluster.push_samples({"digits-mlp"});
  std::vector<std::string> ids;
  for (int index = 0; index < 80; ++index)
    ids.push_back(cluster.submit(small_job()));
  CHECK(run_dim(cluster, {"node", "drain", "node-1", "--wait"}) == 0);
  CHECK(cluster.node_entry(0).at("state") == "draining");
  for (int index = 0; index < 20; ++index)
    ids.push_back(cluster.submit(small_job()));
  cluster.node(0).signal(SIGTERM);
  CHECK(cluster.node(0).wait(std::chrono::seconds{20}) == 0);
  for (auto& id : ids) {
    auto job = cluster.finish(id);
    INFO(job.value("error", json{}).dump());
    CHECK(job["status"] == "completed");
  }
  cluster.wait_until("the node has left",
                     [&] { return cluster.node_entry(0).value("state", "") == "offline"; });
  CHECK(reputation_of(cluster, 0) == 100.0);
  // It is remembered until it is undone.
  cluster.start_node(0);
  cluster.wait_until("the node is back",
                     [&] { return cluster.node_entry(0).value("state", "") == "draining"; });
  CHECK(run_dim(cluster, {"node", "undrain", "node-1"}) == 0);
  cluster.wait_until("the node works again",
                     [&] { return cluster.node_entry(0).value("state", "") == "online"; });
}

TEST_CASE("SIGTERM in the middle of work moves what waits, ends with 0 and costs no reputation") {
  local_cluster cluster{2};
  cluster.push_samples({"digits-mlp"});
  std::vector<std::string> ids;
  for (int index = 0; index < 100; ++index) {
    ids.push_back(cluster.submit(small_job()));
    if (index == 40)
      cluster.node(1).signal(SIGTERM);
  }
  CHECK(cluster.node(1).wait(std::chrono::seconds{40}) == 0);
  for (auto& id : ids)
    CHECK(cluster.finish_state(id) == "completed");
  CHECK(reputation_of(cluster, 1) == 100.0);
}

TEST_CASE("a node whose agents die is quarantined, probed, and released when it has healed") {
  // An agent that dies is not started again at once, but after a second.
  local_cluster cluster{
    2, {"--registry.quarantine_probe_ms=300", "--registry.quarantine_probe_max_ms=600",
        "--supervision.restarts_max=0", "--supervision.restarts_window_ms=1000"}};
  cluster.push_samples({"digits-mlp"});
  auto healthy = cluster.folder() / "healthy";
  auto agent = make_fragile_agent(cluster.folder(), healthy);
  cluster.node(0).kill();
  ::setenv("DIM_AGENT_PROGRAM", agent.c_str(), 1);
  cluster.start_node(0);
  ::unsetenv("DIM_AGENT_PROGRAM");
  cluster.wait_until("both nodes are online", [&] { return cluster.nodes_online() == 2; });
  auto state = [&] { return cluster.node_entry(0).value("state", ""); };
  std::vector<std::string> ids;
  cluster.wait_until("the node is in quarantine", [&] {
    ids.push_back(cluster.submit(small_job()));
    return state() == "quarantined";
  });
  auto entry = cluster.node_entry(0);
  CHECK(entry.at("quarantine").at("failures_in_a_row") == 3);
  for (auto& id : ids)
    CHECK(cluster.finish_state(id) == "completed");
  auto placed = cluster.submit(small_job());
  CHECK(cluster.finish_state(placed) == "completed");
  auto placement = cluster.get("/api/v1/jobs/" + placed + "/placement").body.dump();
  CHECK(placement.find("is quarantined: 3 executions in a row have failed") != placement.npos);
  cluster.wait_until("a probe has failed", [&] {
    return cluster.node_entry(0).at("quarantine").at("probes_bad") > 0;
  });
  CHECK(state() == "quarantined");
  auto failed_before = cluster.node_entry(0).at("failed_jobs");
  std::ofstream{healthy} << "yes";
  cluster.wait_until("the node is released", [&] { return state() == "online"; });
  CHECK(cluster.node_entry(0).at("failed_jobs") == failed_before);
  CHECK(cluster.finish(cluster.submit(small_job()))["status"] == "completed");
}

TEST_CASE("a cluster restored from a backup has its jobs, and goes on with those unfinished") {
  local_cluster cluster{1};
  cluster.push_samples({"digits-mlp"});
  std::vector<std::string> done;
  for (int index = 0; index < 20; ++index)
    done.push_back(cluster.submit(small_job()));
  for (auto& id : done)
    CHECK(cluster.finish_state(id) == "completed");
  cluster.post("/api/v1/placement", {{"paused", true}});
  std::vector<std::string> waiting;
  for (int index = 0; index < 10; ++index)
    waiting.push_back(cluster.submit(small_job()));
  auto backup = (cluster.folder() / "backup").string();
  CHECK(run_dim(cluster, {"backup", backup}) == 0);
  CHECK(run_dim(cluster, {"backup", backup}) == 1);
  CHECK(run_dim(cluster, {"backup", "verify", backup}) == 0);
  auto late = cluster.submit(small_job());

  cluster.orchestrator().kill();
  auto data = cluster.folder() / "orchestrator";
  CHECK(run_dim(cluster, {"restore", backup, "--data-dir", data.string()}) == 1);
  fs::rename(data, cluster.folder() / "lost");
  CHECK(run_dim(cluster, {"restore", backup, "--data-dir", data.string()}) == 0);
  cluster.start_orchestrator();
  cluster.wait_until("the node is back", [&] { return cluster.nodes_online() == 1; });
  for (auto& id : done)
    CHECK(cluster.get("/api/v1/jobs/" + id).body.at("status") == "completed");
  for (auto& id : waiting)
    CHECK(cluster.finish_state(id) == "completed");
  // It came after the backup.
  CHECK(cluster.get("/api/v1/jobs/" + late).status == 404);
  CHECK(cluster.finish(cluster.submit(small_job()))["status"] == "completed");
}
