#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/simulation/run.hpp"
#include "tools/scenario/invariants.hpp"

namespace dim::simulation {

/// What is kept of one run, small enough to go from process to process.
struct seed_report {
  std::uint64_t seed = 0;
  std::uint64_t hash = 0;
  std::uint32_t nodes = 0;
  std::uint64_t jobs = 0;
  std::uint64_t steps = 0;
  std::uint64_t packets = 0;
  std::uint64_t events = 0;
  std::int64_t virtual_ms = 0;
  std::int64_t cpu_ms = 0;
  std::vector<scenario::violation> violations;
  std::map<std::string, std::uint64_t> paths;
  std::map<std::string, std::uint64_t> faults;
  /// How many things each promise was checked on.
  std::map<std::string, std::uint64_t> checked;

  bool operator==(const seed_report&) const = default;
};

seed_report report_of(const scenario::scenario& plan, const outcome& result, std::int64_t cpu_ms);

/// As a JSON text and back; a report with a violation "the_run_ends" when the text is none.
std::string to_json(const seed_report& report);
seed_report report_from_json(const std::string& text);

}  // namespace dim::simulation
