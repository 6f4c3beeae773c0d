#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/random_source.hpp"
#include "tests/cluster/local_cluster.hpp"

namespace dim::tests {

struct storm_shape {
  std::uint64_t seed = 1;
  std::size_t kills = 20;
  /// Between two kills, evenly at random.
  std::chrono::milliseconds pause_min{300};
  std::chrono::milliseconds pause_max{2'500};
  /// From the kill of a daemon to its new start.
  std::chrono::milliseconds away_min{0};
  std::chrono::milliseconds away_max{1'000};
};

/// Kills processes of a cluster at random moments, with SIGKILL, and starts daemons again after a
/// while; agents are the business of their nodes. Several may be away at the same time.
class kill_storm {
public:
  kill_storm(local_cluster& cluster, const storm_shape& shape);

  /// Returns when every kill is done and every daemon is started again.
  void run();

  /// How often each kind was killed: "orchestrator", "gateway", "node", "agent".
  const std::map<std::string, std::size_t>& kills() const {
    return kills_;
  }
  /// Agents of killed nodes, by pid: none of them may live on.
  const std::set<std::int64_t>& orphans() const {
    return orphans_;
  }

private:
  using clock_type = std::chrono::steady_clock;

  std::chrono::milliseconds between(std::chrono::milliseconds low, std::chrono::milliseconds high);
  /// False when nothing that may be killed is there.
  bool kill_one();
  bool kill_daemon(const std::string& kind, std::size_t index);
  bool kill_agent(std::size_t index);
  void start_again(const std::string& name);

  local_cluster& cluster_;
  storm_shape shape_;
  runtime::random_source random_;
  std::map<std::string, std::size_t> kills_;
  std::set<std::int64_t> orphans_;
  /// Daemons that are away, and when they come back.
  std::map<std::string, clock_type::time_point> away_;
};

/// Whether an agent process with this pid is alive.
bool is_agent_alive(std::int64_t pid);

}  // namespace dim::tests
