#include "tools/fault/recovery.hpp"

namespace dim::tools {

std::map<std::string, std::vector<std::int64_t>> recoveries_of(const scenario::history& seen) {
  std::map<std::string, std::vector<std::int64_t>> result;
  // When each job lost executions that were not placed again yet, and each node was lost.
  std::map<std::string, std::vector<std::int64_t>> lost_of_job;
  std::map<std::string, std::string> pattern_of;
  for (const auto& job : seen.jobs)
    pattern_of[job.id] = job.pattern;
  std::map<std::string, std::int64_t> lost_nodes;
  for (const auto& event : seen.events) {
    if (event.kind == "execution_lost" && pattern_of[event.job_id] != "replicated")
      lost_of_job[event.job_id].push_back(event.at_ms);
    if (event.kind == "execution_scheduled") {
      auto& waiting = lost_of_job[event.job_id];
      if (!waiting.empty()) {
        result["placed again"].push_back(event.at_ms - waiting.front());
        waiting.erase(waiting.begin());
      }
    }
    if (event.kind == "node_lost")
      lost_nodes[event.node_id] = event.at_ms;
    if (event.kind == "node_joined") {
      const auto lost = lost_nodes.find(event.node_id);
      if (lost == lost_nodes.end())
        continue;
      result["node is a member again"].push_back(event.at_ms - lost->second);
      lost_nodes.erase(lost);
    }
  }
  return result;
}

std::map<std::string, std::uint64_t> paths_of(const scenario::history& seen) {
  std::map<std::string, std::uint64_t> result;
  std::map<std::string, std::uint64_t> of_kind;
  for (const auto& event : seen.events)
    ++of_kind[event.kind];
  const std::pair<const char*, const char*> kinds[] = {{"execution_lost", "lost_execution"},
                                                       {"execution_failed", "failed_execution"},
                                                       {"straggler_scored", "straggler_scored"},
                                                       {"job_resumed", "resumed_job"},
                                                       {"node_lost", "node_loss"}};
  for (const auto& [kind, path] : kinds)
    if (of_kind.contains(kind))
      result[path] = of_kind[kind];
  for (const auto& each : seen.executions)
    if (each.attempt > 1)
      ++result["retry"];
  for (const auto& each : seen.jobs)
    if (!each.error_code.empty() && each.error_code != "cancelled")
      ++result["job_failed_" + each.error_code];
  return result;
}

}  // namespace dim::tools
