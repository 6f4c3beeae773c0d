#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "runtime/random_source.hpp"
#include "tests/simulation/basp_network.hpp"
#include "tests/simulation/basp_parts.hpp"
#include "tests/simulation/basp_process.hpp"
#include "tests/simulation/client.hpp"
#include "tests/simulation/run.hpp"
#include "tests/simulation/timeline.hpp"
#include "tests/simulation/trace.hpp"
#include "tools/scenario/history.hpp"
#include "tools/scenario/scenario.hpp"

namespace dim::simulation {

/// A whole cluster of processes in one thread: an orchestrator, a gateway and nodes, each an actor
/// system of its own with the real BASP broker, over a simulated network, under virtual time.
///
///     basp_world world{plan};
///     auto result = world.run();
///
/// `run_scenario` (run.hpp) does the same in one actor system, which is faster; here serialisation,
/// connections, handshakes and heartbeats of the links are real.
class basp_world {
public:
  /// `trace`: where every step is written in words; null for nowhere.
  explicit basp_world(scenario::scenario plan, std::ostream* trace = nullptr);
  ~basp_world();

  outcome run();

private:
  enum class role : std::uint8_t { orchestrator, gateway, node };

  /// A machine, whose process comes and goes.
  struct host {
    role kind = role::node;
    std::uint32_t number = 0;
    /// As scenarios name it: "orchestrator", "gateway/g1", "node/n1".
    std::string name;
    std::int64_t wall_base_ms = 0;
    std::uint32_t starts = 0;
    bool is_frozen = false;
    std::shared_ptr<device_mood> mood;
    std::filesystem::path folder;
    std::unique_ptr<orchestrator_part> orchestrator;
    std::unique_ptr<node_part> node;
    runtime::service<caf::actor> entry;
    runtime::service<caf::actor> link;
    runtime::supervisor_actor root;
    /// Last, so that it ends its actors before what they use goes away.
    std::unique_ptr<basp_process> process;

    bool is_up() const {
      return process != nullptr;
    }
    bool is_awake() const {
      return process != nullptr && !is_frozen;
    }
  };

  // basp_world.cpp: what happens next
  bool step();
  bool run_brokers();
  bool run_actor(std::size_t index);
  bool advance();
  void note(const std::string& text);
  std::int64_t now_ms() const;
  void after_ms(std::int64_t delay_ms, timeline::deed what);
  host* host_of(const basp_process& process);
  bool is_awake(const basp_process& process);

  // basp_hosts.cpp: machines and their processes
  void add_hosts();
  void start(host& what);
  void start_orchestrator(host& what);
  void start_gateway(host& what);
  void start_node(host& what);
  void crash(host& what, bool tells);
  void freeze(host& what, std::int64_t lasts_ms);

  // basp_faults.cpp
  void plan_faults();
  void plan_strikes(const scenario::fault& fault);
  void strike(const scenario::fault& fault);
  void kill(host& what, std::int64_t lasts_ms);
  void hold(const scenario::fault& fault, bool begins);
  void partition(const scenario::fault& fault);
  void fill_disk(std::int64_t lasts_ms);
  void end_faults();
  host* pick(const std::string& pattern);
  void count_fault(scenario::fault_action action);

  // basp_workload.cpp
  void start_client();

  // basp_history.cpp
  bool is_settled();
  void note_baseline(std::map<std::string, std::int64_t>& counts);
  void collect();
  void collect_nodes();
  void note_violation(const std::string& invariant, const std::string& detail);

  scenario::scenario plan_;
  runtime::random_source random_;
  trace trace_;
  timeline deeds_;
  time_point now_{std::chrono::milliseconds{1}};
  std::filesystem::path folder_;
  basp_network network_;
  std::vector<std::unique_ptr<host>> hosts_;
  std::shared_ptr<client_record> clients_ = std::make_shared<client_record>();
  outcome result_;
  std::map<std::string, std::int64_t> before_;
  std::map<std::string, std::int64_t> after_;
  /// To be filled when nobody has a message.
  std::map<std::string, std::int64_t>* wanted_baseline_ = nullptr;
  bool faults_are_over_ = false;
};

/// Runs a scenario over real BASP and checks its history. The same scenario gives the same outcome,
/// hash included.
outcome run_basp_seed(const scenario::scenario& plan, std::ostream* trace = nullptr);

/// The scenario of a seed in a campaign over real BASP: a few nodes, a few jobs, and faults of
/// every kind that this ring knows.
scenario::scenario basp_scenario(std::uint64_t seed);

}  // namespace dim::simulation
