#include "tools/fault/final_state.hpp"

#include <cstdio>
#include <ctime>
#include <map>

namespace dim::tools {

namespace {

tl::unexpected<command_failure> failed(const std::string& what, const gateway_reply& reply) {
  return fail(exit_status::failed, "could not read " + what + ": " + reply.problem);
}

scenario::logged_event event_from(const json& x) {
  scenario::logged_event result;
  result.number = static_cast<std::uint64_t>(number_at(x, "number"));
  result.topic = text_at(x, "topic");
  result.kind = text_at(x, "kind");
  result.job_id = text_at(x, "job_id");
  result.execution_id = text_at(x, "execution_id");
  result.node_id = text_at(x, "node_id");
  result.detail = text_at(x, "detail");
  result.at_ms = time_from(text_at(x, "at"));
  return result;
}

scenario::final_job job_from(const json& x, const std::string& key) {
  scenario::final_job result;
  result.id = text_at(x, "id");
  result.pattern = text_at(x, "pattern");
  result.state = text_at(x, "status");
  result.error_code = text_at(member_of(x, "error"), "code");
  result.idempotency_key = key;
  result.redundancy = static_cast<std::uint32_t>(number_at(x, "redundancy"));
  result.consensus = static_cast<std::uint32_t>(number_at(x, "consensus"));
  result.has_result = member_of(x, "result").is_object();
  result.is_hedged = number_at(x, "hedge_after_ms") > 0;
  return result;
}

scenario::final_execution execution_from(const json& x) {
  scenario::final_execution result;
  result.id = text_at(x, "id");
  result.job_id = text_at(x, "job_id");
  result.node_id = text_at(x, "node_id");
  result.epoch = static_cast<std::uint32_t>(number_at(x, "epoch"));
  result.step = static_cast<std::uint32_t>(number_at(x, "step"));
  result.slot = static_cast<std::uint32_t>(number_at(x, "slot"));
  result.attempt = static_cast<std::uint32_t>(number_at(x, "attempt", 1));
  result.state = text_at(x, "status");
  result.result_digest = text_at(x, "result_hash");
  result.verdict = text_at(x, "verdict");
  return result;
}

double score_of(const json& node) {
  const auto& score = member_of(node, "reputation_score");
  return score.is_number() ? score.get<double>() : 0.0;
}

outcome<void> read_events(patient_client& gateway, const first_state& first,
                          scenario::history& seen) {
  seen.events_after = first.last_event;
  for (auto after = first.last_event;;) {
    const auto page = gateway.get("/api/v1/events?after=" + std::to_string(after));
    if (!page.is_good())
      return failed("the event log", page);
    const auto events = list_at(page.body, "events");
    for (const auto& each : events)
      seen.events.push_back(event_from(each));
    if (events.empty() || seen.events.back().number <= after)
      return {};
    after = seen.events.back().number;
  }
}

outcome<void> read_jobs(patient_client& gateway, scenario::history& seen) {
  std::map<std::string, std::string> keys;
  for (const auto& each : seen.submissions)
    keys.emplace(each.job_id, each.idempotency_key);
  for (const auto& [id, key] : keys) {
    const auto job = gateway.get("/api/v1/jobs/" + id);
    // A job that is gone is for the invariants to find.
    if (job.status == 404)
      continue;
    if (!job.is_good())
      return failed("job " + id, job);
    seen.jobs.push_back(job_from(job.body, key));
    const auto executions = gateway.get("/api/v1/jobs/" + id + "/executions");
    if (!executions.is_good())
      return failed("the executions of job " + id, executions);
    for (const auto& each : list_at(executions.body, "executions"))
      seen.executions.push_back(execution_from(each));
  }
  return {};
}

outcome<void> read_nodes(patient_client& gateway, const first_state& first,
                         scenario::history& seen) {
  const auto nodes = gateway.get("/api/v1/nodes");
  if (!nodes.is_good())
    return failed("the nodes", nodes);
  for (const auto& each : list_at(nodes.body, "nodes")) {
    const auto id = text_at(each, "id");
    seen.nodes.push_back({id, text_at(each, "state"), score_of(each), first.members.contains(id)});
  }
  seen.reputation_before = first.reputation;
  return {};
}

}  // namespace

std::int64_t time_from(const std::string& text) {
  std::tm parts{};
  int milliseconds = 0;
  if (std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%d.%3dZ", &parts.tm_year, &parts.tm_mon,
                  &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &milliseconds)
      != 7)
    return 0;
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  return static_cast<std::int64_t>(::timegm(&parts)) * 1'000 + milliseconds;
}

outcome<first_state> read_first_state(patient_client& gateway) {
  first_state result;
  const auto status = gateway.get("/api/v1/status");
  if (!status.is_good())
    return failed("the cluster's status", status);
  result.last_event = static_cast<std::uint64_t>(number_at(status.body, "last_event"));
  const auto& executions = member_of(status.body, "executions");
  result.waiting = number_at(executions, "waiting");
  result.running = number_at(executions, "running");
  const auto nodes = gateway.get("/api/v1/nodes");
  if (!nodes.is_good())
    return failed("the nodes", nodes);
  for (const auto& each : list_at(nodes.body, "nodes")) {
    result.reputation[text_at(each, "id")] = score_of(each);
    if (text_at(each, "status") != "offline")
      result.members.insert(text_at(each, "id"));
  }
  return result;
}

outcome<void> read_final_state(patient_client& gateway, const first_state& first,
                               scenario::history& seen) {
  if (auto done = read_jobs(gateway, seen); !done)
    return done;
  if (auto done = read_nodes(gateway, first, seen); !done)
    return done;
  if (auto done = read_events(gateway, first, seen); !done)
    return done;
  const auto status = gateway.get("/api/v1/status");
  if (!status.is_good())
    return failed("the cluster's status", status);
  const auto& executions = member_of(status.body, "executions");
  seen.baselines.push_back(
    {"executions that wait", first.waiting, number_at(executions, "waiting")});
  seen.baselines.push_back(
    {"executions that run", first.running, number_at(executions, "running")});
  return {};
}

}  // namespace dim::tools
