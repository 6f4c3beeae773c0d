#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/dim/json_fields.hpp"
#include "tools/scenario/scenario.hpp"

namespace dim::tools {

/// A process of the cluster as `GET /api/v1/faults` lists it.
struct live_process {
  std::vector<std::string> names;
  std::vector<std::string> agents;

  bool operator==(const live_process&) const = default;
};

/// The processes in an answer of that route, in the order of their names.
std::vector<live_process> read_processes(const json& answer);

/// Whom one blow hits. Kill, stop and partition hit one of those that fit the fault's target,
/// chosen by `seed`; a fault that holds, and fill_disk, all of them. Nothing when none fits.
std::optional<std::string> choose_target(const scenario::fault& fault,
                                         const std::vector<live_process>& processes,
                                         std::uint64_t seed);

}  // namespace dim::tools
