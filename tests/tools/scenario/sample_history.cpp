#include "tests/tools/scenario/sample_history.hpp"

namespace dim::scenario {

namespace {

final_execution execution(const std::string& id, const std::string& job_id,
                          const std::string& node_id, std::uint32_t slot,
                          const std::string& state) {
  final_execution result;
  result.id = id;
  result.job_id = job_id;
  result.node_id = node_id;
  result.slot = slot;
  result.state = state;
  return result;
}

void add_vote(history& target, int number, const std::string& verdict, double score) {
  const auto text = std::to_string(number);
  append_event(target, "execution_scheduled", "vote", "v" + text, "node-" + text);
  append_event(target, "execution_started", "vote", "v" + text, "node-" + text);
  append_event(target, "execution_completed", "vote", "v" + text, "node-" + text);
  append_event(target, "reputation_changed", "vote", "v" + text, "node-" + text,
               score_detail(verdict == "agreed" ? 5 : -10, score, verdict));
  auto answer = execution("v" + text, "vote", "node-" + text,
                          static_cast<std::uint32_t>(number - 1), "completed");
  answer.verdict = verdict;
  target.executions.push_back(answer);
}

void add_single(history& target) {
  append_event(target, "job_submitted", "single");
  append_event(target, "job_scheduled", "single");
  append_event(target, "execution_scheduled", "single", "s1", "node-3");
  append_event(target, "execution_started", "single", "s1", "node-3");
  append_event(target, "job_running", "single");
  append_event(target, "node_lost", "", "", "node-3");
  append_event(target, "reputation_changed", "", "", "node-3", score_detail(-20, 80, "lost"));
  append_event(target, "execution_lost", "single", "s1", "node-3");
  append_event(target, "execution_scheduled", "single", "s2", "node-1");
  append_event(target, "execution_started", "single", "s2", "node-1");
  append_event(target, "execution_completed", "single", "s2", "node-1");
  append_event(target, "job_completed", "single");
  append_event(target, "node_joined", "", "", "node-3");
  target.executions.push_back(execution("s1", "single", "node-3", 0, "lost"));
  target.executions.push_back(execution("s2", "single", "node-1", 0, "completed"));
}

}  // namespace

std::string score_detail(int points, double score, const std::string& reason) {
  return "{\"points\":" + std::to_string(points) + ",\"score\":" + std::to_string(score)
         + ",\"reason\":\"" + reason + "\"}";
}

void append_event(history& target, const std::string& kind, const std::string& job_id,
                  const std::string& execution_id, const std::string& node_id,
                  const std::string& detail) {
  logged_event event;
  event.number = target.events_after + target.events.size() + 1;
  event.kind = kind;
  event.job_id = job_id;
  event.execution_id = execution_id;
  event.node_id = node_id;
  event.detail = detail;
  target.events.push_back(event);
}

history sample_history() {
  history result;
  for (int number = 1; number <= 3; ++number)
    append_event(result, "node_joined", "", "", "node-" + std::to_string(number));
  result.submissions = {
    {"key-1", "single", 10}, {"key-2", "vote", 20}, {"key-3", "gone", 30}, {"key-1", "single", 40}};
  add_single(result);
  append_event(result, "job_submitted", "vote");
  add_vote(result, 1, "agreed", 105);
  add_vote(result, 2, "agreed", 105);
  append_event(result, "job_completed", "vote");
  add_vote(result, 3, "disagreed", 70);
  append_event(result, "job_submitted", "gone");
  append_event(result, "job_cancelled", "gone");
  result.sightings = {{"single", "pending", 11},
                      {"single", "running", 15},
                      {"single", "completed", 60},
                      {"gone", "cancelled", 70}};
  result.jobs = {{"single", "single", "completed", "", "key-1", 0, 0, true},
                 {"vote", "replicated", "completed", "", "key-2", 3, 2, true},
                 {"gone", "single", "cancelled", "cancelled", "key-3", 0, 0, false}};
  result.nodes = {{"node-1", "online", 105, true},
                  {"node-2", "busy", 105, true},
                  {"node-3", "online", 70, true},
                  {"node-4", "offline", 100, false}};
  result.gauges = {{"queue", 7, 8}};
  result.baselines = {{"waiting", 0, 0}};
  return result;
}

}  // namespace dim::scenario
