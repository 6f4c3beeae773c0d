#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "tools/dim/address.hpp"
#include "tools/dim/outcome.hpp"
#include "tools/fault/local_cluster.hpp"
#include "tools/scenario/report.hpp"
#include "tools/scenario/scenario.hpp"

namespace dim::tools {

struct fault_run_options {
  address gateway;
  scenario::scenario plan;
  /// Strikes no faults, for a cluster that does not allow them.
  bool is_workload_only = false;
  /// The cluster that the run has started for itself.
  local_cluster* local = nullptr;
  /// Makes the keys of this run's submissions its own.
  std::string run_name;
  /// A line for the person who watches.
  std::function<void(const std::string&)> tell;
};

/// Runs a plan: its jobs and its faults side by side, then all faults are ended and the cluster is
/// given `settle_ms` to come to rest, then the invariants are checked over what was seen. Errors:
/// unreachable, failed (faults are not enabled; models are missing; the final state can not be
/// read), usage (the plan asks for what a live cluster can not do).
outcome<scenario::run_report> run_faults(const fault_run_options& options);

}  // namespace dim::tools
