#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/disk_faults.hpp"
#include "tests/simulation/cluster.hpp"
#include "tools/scenario/scenario.hpp"

namespace dim::simulation {

/// Lets the faults of a scenario strike a simulated cluster at their times, and ends them all at
/// the scenario's end: what is cut off, frozen or down then comes back.
class fault_driver {
public:
  fault_driver(simulator& sim, network& net, const scenario::scenario& plan);

  /// Faults that hold from the start: before the cluster is started.
  void attach(cluster& processes);

  /// Starts the clock of the plan.
  void begin();

  /// How a forward of node `index` goes, faults included.
  forward_fate forward(std::uint32_t index, const std::string& model);
  packet_fate on_packet(packet& what);
  /// The orchestrator's disk.
  runtime::disk_faults disk();

  /// How often each fault struck, by the name of its action.
  const std::map<std::string, std::uint64_t>& strikes() const noexcept {
    return strikes_;
  }

private:
  enum class commit_crash : std::uint8_t { none, before, after };

  std::int64_t now_ms() const {
    return sim_.now_ms() - begin_ms_;
  }
  bool is_running() const {
    return begin_ms_ >= 0 && now_ms() < plan_.duration_ms;
  }
  std::int64_t end_of(const scenario::fault& fault) const;
  bool is_open(const scenario::fault& fault) const;
  void schedule(const scenario::fault& fault, std::int64_t at_ms);
  void strike(const scenario::fault& fault);
  void count(const scenario::fault& fault, const std::string& where);

  void kill(const scenario::fault& fault);
  void kill_actor(const scenario::fault& fault, std::string_view target);
  void stop(const scenario::fault& fault);
  void partition(const scenario::fault& fault);
  void cut(host_id from, host_id to, std::int64_t lasts_ms);
  void restart(host_id host, std::int64_t after_ms);

  /// Until when something that began now may last.
  std::int64_t until_end(std::int64_t lasts_ms) const;
  std::vector<host_id> hosts_that_fit(std::string_view pattern) const;
  host_id pick(const std::vector<host_id>& hosts);
  bool fits_forward(const scenario::fault& fault, std::uint32_t index, const std::string& model);
  bool fits_packet(const scenario::fault& fault, const packet& what) const;
  static void corrupt(packet& what, std::uint64_t number);

  simulator& sim_;
  network& net_;
  scenario::scenario plan_;
  cluster* cluster_ = nullptr;
  std::int64_t begin_ms_ = -1;
  std::int64_t disk_full_until_ms_ = -1;
  commit_crash commit_crash_ = commit_crash::none;
  std::int64_t commit_crash_lasts_ms_ = 0;
  std::uint64_t wrong_answers_ = 0;
  std::map<std::string, std::uint64_t> strikes_;
};

}  // namespace dim::simulation
