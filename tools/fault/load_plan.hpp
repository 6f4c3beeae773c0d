#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/scenario/scenario.hpp"

namespace dim::tools {

/// One job of the workload, and what its client does with it.
struct planned_job {
  std::int64_t at_ms = 0;
  std::string pattern;
  /// So long after its acknowledgement it is cancelled.
  std::optional<std::int64_t> cancel_after_ms;
  /// So long after its acknowledgement it is submitted again, with the same key.
  std::optional<std::int64_t> resubmit_after_ms;
  /// Of its inputs.
  std::uint64_t seed = 0;

  bool operator==(const planned_job&) const = default;
};

/// The jobs of a plan in the order of their time: the same for the same seed.
std::vector<planned_job> load_of(const scenario::scenario& plan);

}  // namespace dim::tools
