#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "actors/faults/messages.hpp"

/// Who is meant by the target of a fault. Pure.
namespace dim::actors {

/// The names of a process with these roles: "orchestrator", "gateway/NAME", "node/NAME".
std::vector<std::string> names_of_process(const std::vector<std::string>& roles,
                                          const std::string& name);

/// What a target names.
enum class target_kind : std::uint8_t { process, agent, actor };

/// A target, taken apart.
struct fault_target {
  target_kind kind = target_kind::process;
  /// The pattern of the process, model or actor.
  std::string name;
  /// agent, actor: the pattern of its process.
  std::string process = "*";
};

/// "agent/MODEL@PROCESS", "model/MODEL", "actor/NAME@PROCESS"; all else names processes.
fault_target parse_target(const std::string& text);

/// Whether one of `names` fits the pattern.
bool fits_any(std::string_view pattern, const std::vector<std::string>& names);

/// Whether the fault concerns what runs in a process with these names: the process itself, or
/// agents or actors in it.
bool concerns(const fault_target& target, const std::vector<std::string>& names);

/// Every problem of an order, in words: what its kind needs, and its bounds.
std::vector<std::string> problems_of(const fault_order& order, std::uint64_t lasts_max_ms);

}  // namespace dim::actors
