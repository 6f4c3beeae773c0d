#include "tests/cluster/kill_storm.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>
#include <thread>

namespace dim::tests {

using std::chrono::milliseconds;

namespace {

const std::vector<std::string> kinds{"orchestrator", "gateway", "node", "agent"};
constexpr int draws_max = 64;

}  // namespace

kill_storm::kill_storm(local_cluster& cluster, const storm_shape& shape)
  : cluster_(cluster), shape_(shape), random_(shape.seed) {
}

milliseconds kill_storm::between(milliseconds low, milliseconds high) {
  auto width = static_cast<std::uint64_t>((high - low).count()) + 1;
  return low + milliseconds{static_cast<std::int64_t>(random_.below(width))};
}

void kill_storm::run() {
  std::size_t left = shape_.kills;
  auto next_kill = clock_type::now() + between(shape_.pause_min, shape_.pause_max);
  while (left > 0 || !away_.empty()) {
    auto due = left > 0 ? next_kill : clock_type::time_point::max();
    for (auto& [name, back_at] : away_)
      due = std::min(due, back_at);
    std::this_thread::sleep_until(due);
    auto now = clock_type::now();
    if (left > 0 && next_kill <= now) {
      left -= kill_one() ? 1 : 0;
      next_kill = now + between(shape_.pause_min, shape_.pause_max);
    }
    std::vector<std::string> back;
    for (auto& [name, back_at] : away_)
      if (back_at <= now)
        back.push_back(name);
    for (auto& name : back)
      start_again(name);
  }
}

bool kill_storm::kill_one() {
  // What can not be killed now (it is away, or a node has no agent) is drawn again.
  for (int draws = 0; draws < draws_max; ++draws) {
    auto index = random_.below(cluster_.nodes());
    auto kind = kinds.at(random_.below(kinds.size()));
    if (kind == "agent" ? kill_agent(index) : kill_daemon(kind, index))
      return true;
  }
  return false;
}

bool kill_storm::kill_daemon(const std::string& kind, std::size_t index) {
  auto name = kind == "node" ? "node-" + std::to_string(index + 1) : kind;
  if (away_.contains(name) || (kind == "gateway" && !cluster_.has_own_gateway()))
    return false;
  if (kind == "node")
    for (auto& agent : cluster_.agents_of(index))
      orphans_.insert(agent.pid);
  auto& victim = kind == "node"           ? cluster_.node(index)
                 : kind == "orchestrator" ? cluster_.orchestrator()
                                          : cluster_.gateway();
  victim.kill();
  ++kills_[kind];
  away_[name] = clock_type::now() + between(shape_.away_min, shape_.away_max);
  return true;
}

bool kill_storm::kill_agent(std::size_t index) {
  if (away_.contains("node-" + std::to_string(index + 1)))
    return false;
  auto agents = cluster_.agents_of(index);
  if (agents.empty())
    return false;
  auto& victim = agents.at(random_.below(agents.size()));
  ::kill(static_cast<pid_t>(victim.pid), SIGKILL);
  ++kills_["agent"];
  return true;
}

void kill_storm::start_again(const std::string& name) {
  away_.erase(name);
  if (name == "orchestrator")
    cluster_.launch_orchestrator();
  else if (name == "gateway")
    cluster_.launch_gateway();
  else
    cluster_.start_node(std::stoul(name.substr(std::string_view{"node-"}.size())) - 1);
}

bool is_agent_alive(std::int64_t pid) {
  std::ifstream input{"/proc/" + std::to_string(pid) + "/cmdline"};
  std::string command{std::istreambuf_iterator<char>{input}, {}};
  return command.find("dim-agent") != std::string::npos;
}

}  // namespace dim::tests
