#include "tests/cluster/survival.hpp"

#include <algorithm>
#include <map>
#include <string>

#include <doctest/doctest.h>

#include "tests/cluster/job_ends.hpp"
#include "tests/cluster/job_load.hpp"
#include "tests/cluster/kill_storm.hpp"
#include "tests/support/test_seed.hpp"
#include "tools/fault/final_state.hpp"
#include "tools/scenario/invariants.hpp"

namespace dim::tests {

using namespace std::chrono_literals;

namespace {

void check_promises(const scenario::history& seen) {
  for (auto& verdict : scenario::check(seen)) {
    MESSAGE(verdict.invariant, ": ", verdict.checked, " checked, ", verdict.violations.size(),
            " broken");
    for (auto& violation : verdict.violations)
      FAIL_CHECK(violation.invariant, ": ", violation.detail);
  }
}

void tell(const kill_storm& storm, const job_load& load, const scenario::history& seen) {
  std::map<std::string, std::size_t> ends;
  for (auto& job : seen.jobs)
    ++ends[job.state + (job.error_code.empty() ? "" : " " + job.error_code)];
  for (auto& [kind, count] : storm.kills())
    MESSAGE("killed ", kind, ": ", count);
  for (auto& [end, count] : ends)
    MESSAGE("jobs ", end, ": ", count);
  std::map<std::string, std::size_t> executions;
  for (auto& each : seen.executions)
    ++executions[each.state];
  for (auto& [state, count] : executions)
    MESSAGE("executions ", state, ": ", count);
  MESSAGE(load.acknowledged(), " jobs acknowledged, ", seen.events.size(), " events");
}

}  // namespace

void survive(std::size_t kills, std::chrono::milliseconds settle_limit) {
  auto seed = test_seed();
  MESSAGE(kills, " kills, replay with DIM_TEST_SEED=", seed);
  local_cluster cluster{
    {3, true, {"--cluster.rejoin_backoff_max_ms=500", "--cluster.heartbeat_ms=500"}}};
  cluster.push_samples(models_of_load());
  tools::patient_client gateway{{"127.0.0.1", std::to_string(cluster.port()), {}}};
  auto before = tools::read_first_state(gateway);
  REQUIRE(before);

  load_shape clients;
  clients.seed = seed;
  job_load load{cluster.port(), clients};
  storm_shape shape;
  shape.seed = seed;
  shape.kills = kills;
  kill_storm storm{cluster, shape};
  storm.run();
  scenario::history seen;
  load.stop_into(seen);

  cluster.wait_until("all nodes are members", [&] { return cluster.nodes_online() == 3; });
  await_ends(cluster, seen, settle_limit);
  // Once more from the disk: what had ended must be as it was.
  cluster.orchestrator().kill();
  cluster.start_orchestrator();
  cluster.wait_until("all nodes are members", [&] { return cluster.nodes_online() == 3; });
  look_again(cluster, seen);
  auto read = tools::read_final_state(gateway, *before, seen);
  REQUIRE_MESSAGE(read.has_value(), read.error().message);

  tell(storm, load, seen);
  check_promises(seen);
  for (auto& complaint : load.complaints())
    FAIL_CHECK(complaint);
  // On a slow machine the cluster is away for most of the time; without work it proves nothing.
  CHECK(load.acknowledged() * 4 >= kills);
  auto completed = std::count_if(seen.jobs.begin(), seen.jobs.end(),
                                 [](auto& job) { return job.state == "completed"; });
  // Most jobs lose no more processes than they have attempts.
  CHECK(completed * 2 > std::ptrdiff_t(seen.jobs.size()));
  for (auto pid : storm.orphans())
    CHECK_FALSE(is_agent_alive(pid));
}

}  // namespace dim::tests
