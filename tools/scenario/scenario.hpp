#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/errors.hpp"

/// What a fault-injection run does to a cluster, as data. One format serves the simulation in one
/// actor system, the simulation over several, and a live cluster (`dim fault run PLAN.toml`).
namespace dim::scenario {

/// What a fault does. Targets are patterns with `*`, over names of the form `orchestrator`,
/// `gateway/NAME`, `node/NAME`, `agent/MODEL`, `actor/NAME@PROCESS`, `model/NAME`.
enum class fault_action : std::uint8_t {
  kill,           ///< Ends the process or actor at once; `lasts_ms` later it is started again.
  stop,           ///< Freezes the process (SIGSTOP) for `lasts_ms`.
  drop,           ///< Loses messages.
  delay,          ///< Holds messages back by `delay_ms_min` to `delay_ms_max`.
  duplicate,      ///< Delivers messages twice.
  corrupt,        ///< Flips a bit in the payload bytes of messages or results.
  partition,      ///< Cuts the link between `target` and `peer` for `lasts_ms`.
  slow,           ///< Makes forwards `factor` times slower.
  wrong_result,   ///< Makes an agent answer with other numbers.
  out_of_memory,  ///< Makes an agent run out of memory.
  fill_disk,      ///< Makes the store's writes fail as on a full disk for `lasts_ms`.
  clock_skew,     ///< Moves the wall clock of a process by `skew_ms`.
};
std::string_view to_string(fault_action value) noexcept;
std::optional<fault_action> fault_action_from(std::string_view text) noexcept;
constexpr fault_action last_value(fault_action) noexcept {
  return fault_action::clock_skew;
}

/// One line of a plan. It strikes once at `from_ms`, or, with `every_ms`, again and again in random
/// intervals of that mean until `until_ms`; a fault on messages or results (drop, delay, duplicate,
/// corrupt, slow, wrong_result, out_of_memory) holds from `from_ms` to `until_ms` and strikes each
/// with `probability`.
struct fault {
  fault_action action = fault_action::kill;
  std::string target = "*";
  /// partition: the other side; empty: everybody else.
  std::string peer;
  /// partition: only what `target` sends is lost.
  bool one_way = false;
  /// Names of message types, for instance `execution_finished`; empty: all.
  std::vector<std::string> messages;
  std::int64_t from_ms = 0;
  /// 0: the end of the plan's `duration_ms`.
  std::int64_t until_ms = 0;
  /// 0: once.
  std::int64_t every_ms = 0;
  std::int64_t lasts_ms = 0;
  double probability = 1.0;
  std::int64_t delay_ms_min = 0;
  std::int64_t delay_ms_max = 0;
  double factor = 1.0;
  std::int64_t skew_ms = 0;

  bool operator==(const fault&) const = default;
};

/// What clients do meanwhile.
struct workload {
  std::uint32_t jobs = 100;
  /// Submissions a second, evenly at random.
  double rate = 10.0;
  /// Any of the pattern names; taken in turn at random.
  std::vector<std::string> patterns = {"single", "replicated"};
  /// Shares of the submissions, 0 to 1.
  double cancelled = 0.05;
  double resubmitted = 0.05;
  std::uint64_t timeout_ms = 120'000;
  /// Models by name, for a live cluster; empty: those of the samples.
  std::vector<std::string> models;

  bool operator==(const workload&) const = default;
};

struct scenario {
  std::string name;
  std::string description;
  std::uint64_t seed = 1;
  /// Simulation only: how many nodes there are.
  std::uint32_t nodes = 5;
  /// When the faults end.
  std::int64_t duration_ms = 60'000;
  /// From the end of the faults until every job must be terminal and every node a member.
  std::int64_t settle_ms = 180'000;
  workload load;
  std::vector<fault> faults;

  bool operator==(const scenario&) const = default;
};

/// Reads a plan. Errors: bad_input, whose details name every problem with its line; unknown members
/// are problems.
runtime::expected<scenario> read_scenario(std::string_view toml_text);

/// The same as text that `read_scenario` takes.
std::string write_scenario(const scenario& plan);

/// Whether `name` fits `pattern`, in which `*` stands for any text.
bool fits(std::string_view pattern, std::string_view name) noexcept;

}  // namespace dim::scenario
