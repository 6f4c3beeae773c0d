// The supervision tree of a whole daemon, in this process.
#include "tools/dimd/daemon.hpp"

#include <atomic>
#include <csignal>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include <caf/all.hpp>
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "runtime/system.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/tools/daemon_options.hpp"

using namespace dim;

namespace {

/// Actors of this process by what their supervisors call them.
struct running_tree {
  std::vector<runtime::actor_line> lines;
  std::map<std::uint64_t, runtime::actor_line> by_id;

  explicit running_tree(caf::actor_system& system)
    : lines(runtime::context_of(system).actors.lines()) {
    for (auto& line : lines)
      by_id[line.id] = line;
  }

  std::string parent_of(const runtime::actor_line& line) const {
    auto found = by_id.find(line.parent);
    return found == by_id.end() ? "" : found->second.name;
  }

  std::set<std::string> children_of(const std::string& name) const {
    std::set<std::string> result;
    for (auto& line : lines)
      if (parent_of(line) == name)
        result.insert(line.name);
    return result;
  }

  caf::actor find(caf::actor_system& system, const std::string& name) const {
    for (auto& line : lines)
      if (line.name == name)
        return runtime::context_of(system).actors.find(line.id);
    return {};
  }
};

std::atomic<int> terminations{0};

/// Counts the SIGTERMs that the daemon sends to its process, whichever thread takes them.
struct counted_signal {
  counted_signal() : before(std::signal(SIGTERM, [](int) { ++terminations; })) {
  }
  ~counted_signal() {
    std::signal(SIGTERM, before);
  }

  void (*before)(int);
};

/// Kills the actor with this name and waits until another stands in its place, or none does.
void kill_one(caf::actor_system& system, const std::string& name) {
  auto victim = running_tree{system}.find(system, name);
  if (!victim)
    return;
  auto id = victim.id();
  caf::anon_send_exit(victim, caf::exit_reason::kill);
  auto end = std::chrono::steady_clock::now() + std::chrono::seconds{3};
  while (std::chrono::steady_clock::now() < end) {
    auto now = running_tree{system}.find(system, name);
    if (now && now.id() != id)
      return;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
}

}  // namespace

TEST_CASE("every actor of a daemon hangs in the tree, and the tree stops in order") {
  tests::temporary_folder folder;
  tools::daemon daemon{tests::daemon_options(folder / "data")};
  auto started = daemon.start();
  REQUIRE_MESSAGE(started, (started ? "" : started.error().message));
  running_tree tree{daemon.system()};
  std::size_t roots = 0;
  for (auto& line : tree.lines) {
    auto is_root = line.name == "ROOT";
    roots += is_root;
    CHECK_MESSAGE((is_root || !tree.parent_of(line).empty()), line.name);
  }
  CHECK(roots == 1);
  CHECK(tree.children_of("ROOT")
        == std::set<std::string>{"DIRECTORY", "ENTRY", "ORCHESTRATOR", "NODE GROUP", "BRIDGE",
                                 "FAULTS"});
  CHECK(tree.children_of("ORCHESTRATOR")
        == std::set<std::string>{"STORE", "EVENTS", "QUERIES", "MODELS", "REGISTRY", "SCHEDULER",
                                 "DISPATCHER", "BACKUP", "ROUTER"});
  CHECK(tree.children_of("NODE GROUP")
        == std::set<std::string>{"CACHE", "AGENT ENTRY", "DEVICE", "NODE"});
  CHECK(daemon.stop());
}

TEST_CASE("an actor that is killed is replaced, with all that were started after it") {
  tests::temporary_folder folder;
  tools::daemon daemon{tests::daemon_options(folder / "data")};
  REQUIRE(daemon.start());
  running_tree before{daemon.system()};
  kill_one(daemon.system(), "SCHEDULER");
  kill_one(daemon.system(), "BRIDGE");
  running_tree after{daemon.system()};
  CHECK(after.children_of("ORCHESTRATOR").contains("SCHEDULER"));
  CHECK(after.children_of("ROOT").contains("BRIDGE"));
  CHECK(before.find(daemon.system(), "STORE") == after.find(daemon.system(), "STORE"));
  CHECK(daemon.stop());
}

TEST_CASE("a part that dies more often than the limits allow ends the daemon with an error") {
  counted_signal signal;
  tests::temporary_folder folder;
  auto options = tests::daemon_options(folder / "data");
  options.supervision.restarts_max = 1;
  tools::daemon daemon{options};
  REQUIRE(daemon.start());
  // One restart of SCHEDULER, then one of ORCHESTRATOR with another one of SCHEDULER in it.
  auto is_over = false;
  for (int kills = 0; kills < 8 && !is_over; ++kills) {
    kill_one(daemon.system(), "SCHEDULER");
    is_over = terminations > 0;
  }
  CHECK(is_over);
  // What `main` makes its exit status of.
  CHECK_FALSE(daemon.stop());
}

TEST_CASE("the port file is there while a daemon runs, and a port that is taken is named") {
  tests::temporary_folder folder;
  const auto options = tests::daemon_options(folder / "data");
  tools::daemon daemon{options};
  REQUIRE(daemon.start());
  std::ifstream file{options.cluster.port_file};
  const auto ports = nlohmann::json::parse(file);
  for (const std::string section : {"cluster", "gateway"}) {
    auto same = tests::daemon_options(folder / ("other-" + section));
    (section == "cluster" ? same.cluster.port : same.gateway.port)
      = ports.at(section).get<std::uint16_t>();
    tools::daemon other{same};
    const auto started = other.start();
    REQUIRE_FALSE(started);
    CHECK(started.error().message.starts_with(section + ".port: can not listen on 127.0.0.1:"));
    CHECK_FALSE(std::filesystem::exists(same.cluster.port_file));
  }
  CHECK(daemon.stop());
  CHECK_FALSE(std::filesystem::exists(options.cluster.port_file));
}
