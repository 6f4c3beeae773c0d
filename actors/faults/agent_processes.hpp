#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dim::actors {

/// A `dim-agent` that this process has started.
struct agent_child {
  std::int64_t pid = 0;
  /// Without its version.
  std::string model;
};

/// The agent processes of this process, by their number, as the system's list of processes shows
/// them. Blocks for as long as reading that list takes.
std::vector<agent_child> list_agent_children();

}  // namespace dim::actors
