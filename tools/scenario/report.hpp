#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tools/scenario/history.hpp"
#include "tools/scenario/invariants.hpp"
#include "tools/scenario/scenario.hpp"

/// What a run has shown, for people, programs and CI systems.
namespace dim::scenario {

/// The outcome of one run of a plan.
struct run_report {
  std::string plan;
  std::string description;
  std::uint64_t seed = 0;
  std::int64_t took_ms = 0;
  /// How often each action struck, and each rare path ran.
  std::map<std::string, std::uint64_t> faults;
  std::map<std::string, std::uint64_t> paths;
  /// Submissions that were acknowledged, and jobs by their final state.
  std::uint64_t acknowledged = 0;
  std::map<std::string, std::uint64_t> jobs;
  /// How long it took until things were well again, by what was hit: "node", "orchestrator", ...
  std::map<std::string, std::vector<std::int64_t>> recovery_ms;
  std::vector<verdict> verdicts;
  /// What kept the run from doing what its plan says; such a run has not passed.
  std::vector<std::string> problems;

  /// No promise was broken, and nothing kept the run from its plan.
  bool is_passed() const;
};

/// Counts and checks `seen`; time, recoveries and problems are the caller's to fill in.
run_report report_of(const scenario& plan, const history& seen);

/// The smallest of `values` that at least `share` (0 to 1) of them do not exceed; 0 for none.
std::int64_t percentile(std::vector<std::int64_t> values, double share);

/// Some lines for people, the verdict last.
std::string text_of(const run_report& report);

/// One JSON object.
std::string json_of(const run_report& report);

/// JUnit XML: one test case for each promise, skipped where nothing was there to check.
std::string junit_of(const run_report& report);

}  // namespace dim::scenario
