#include "tests/simulation/coverage.hpp"

namespace dim::simulation {

const std::vector<rare_path>& rare_paths() {
  static const std::vector<rare_path> paths{
    {"retry", "an execution was tried again"},
    {"hedge", "one of two executions of a place was withdrawn when the other had answered"},
    {"large_result", "outputs were fetched, not sent in a message"},
    {"late_duplicate", "a node told the end of an execution a second time"},
    {"fenced_result", "a result came for an execution that had ended otherwise"},
    {"event_straggler_scored", "a replica was scored after the consensus"},
    {"rejoin", "a node came back"},
    {"silence_noticed", "a connection was given up after silence"},
    {"event_node_lost", "a node was lost"},
    {"event_job_resumed", "a job was taken up after a restart"},
    {"event_execution_lost", "an execution was lost with its node"},
    {"execution_corrupt", "damaged bytes were noticed"},
    {"execution_memory_limit", "an agent ran out of memory"},
    {"execution_agent_lost", "an agent died"},
    {"event_step_stored", "a chained job stored a step"},
    {"job_failed_timeout", "a job ended for lack of time"},
    {"cancelled", "a job was cancelled"},
    {"cancelled_too_late", "a job had ended before it was cancelled"},
    {"inference_answered", "a direct inference was answered"},
    {"inference_in_time", "a direct inference was answered that had to be"},
    {"inference_timeout", "a direct inference ended for lack of time"},
    {"inference_cancelled", "a caller was gone before its answer"},
    {"submission_repeated", "a submission came a second time under its key"},
    {"submission_failed", "a submission was not answered"},
    {"escalation", "a supervisor gave up"},
  };
  return paths;
}

void campaign_totals::add(const seed_report& report) {
  ++runs;
  failed += report.violations.empty() ? 0 : 1;
  steps += report.steps;
  events += report.events;
  virtual_ms += report.virtual_ms;
  cpu_ms += report.cpu_ms;
  for (int shift = 0; shift < 64; shift += 8)
    hash = (hash ^ ((report.hash >> shift) & 0xff)) * 1'099'511'628'211ull;
  for (auto& [name, times] : report.paths)
    paths[name] += times;
  for (auto& [name, times] : report.faults)
    faults[name] += times;
  for (auto& [name, times] : report.checked)
    checked[name] += times;
}

std::vector<rare_path> campaign_totals::missed() const {
  std::vector<rare_path> result;
  for (auto& one : rare_paths())
    if (!paths.contains(one.name))
      result.push_back(one);
  return result;
}

}  // namespace dim::simulation
