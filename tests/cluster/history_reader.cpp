#include "tests/cluster/history_reader.hpp"

#include <map>
#include <set>
#include <thread>

#include <doctest/doctest.h>

#include "tests/cluster/job_load.hpp"

namespace dim::tests {

namespace {

using nlohmann::json;

constexpr std::size_t events_in_page = 1'000;
constexpr auto repeat_pause = std::chrono::milliseconds{100};
constexpr int tries_max = 100;

/// Reads `target`; the gateway may still be on its way to the orchestrator.
json read(caller& gateway, const std::string& target) {
  reply answer;
  for (int tries = 0; tries < tries_max; ++tries) {
    answer = gateway.get(target);
    if (answer.status == 200)
      return std::move(answer.body);
    if (answer.status != 0 && answer.status < 500)
      break;
    std::this_thread::sleep_for(repeat_pause);
  }
  FAIL("GET ", target, " is answered with ", answer.status, " ", answer.body.dump());
  return {};
}

std::string text(const json& object, const char* name) {
  auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

std::map<std::string, std::string> keys_of_jobs(const scenario::history& seen) {
  std::map<std::string, std::string> result;
  for (auto& each : seen.submissions)
    result.emplace(each.job_id, each.idempotency_key);
  return result;
}

scenario::final_job job_of(const json& job) {
  scenario::final_job result;
  result.id = text(job, "id");
  result.pattern = text(job, "pattern");
  result.state = text(job, "status");
  if (job.at("error").is_object())
    result.error_code = text(job.at("error"), "code");
  result.redundancy = job.value("redundancy", 0u);
  result.consensus = job.value("consensus", 0u);
  result.has_result = job.at("result").is_object();
  return result;
}

scenario::final_execution execution_of(const json& execution) {
  return {text(execution, "id"),
          text(execution, "job_id"),
          text(execution, "node_id"),
          execution.at("epoch").get<std::uint32_t>(),
          execution.at("step").get<std::uint32_t>(),
          execution.at("slot").get<std::uint32_t>(),
          execution.at("attempt").get<std::uint32_t>(),
          text(execution, "status"),
          text(execution, "result_hash"),
          text(execution, "verdict")};
}

scenario::logged_event event_of(const json& event) {
  scenario::logged_event result;
  result.number = event.at("number").get<std::uint64_t>();
  result.topic = text(event, "topic");
  result.kind = text(event, "kind");
  result.job_id = text(event, "job_id");
  result.execution_id = text(event, "execution_id");
  result.node_id = text(event, "node_id");
  if (event.at("detail").is_object())
    result.detail = event.at("detail").dump();
  return result;
}

void read_events(caller& gateway, scenario::history& seen) {
  for (std::uint64_t last = 0;;) {
    auto page = read(gateway, "/api/v1/events?after=" + std::to_string(last)
                                + "&limit=" + std::to_string(events_in_page));
    for (auto& each : page.at("events"))
      seen.events.push_back(event_of(each));
    if (page.at("events").empty())
      return;
    last = seen.events.back().number;
  }
}

}  // namespace

void await_ends(local_cluster& cluster, scenario::history& seen, std::chrono::milliseconds limit) {
  caller gateway{cluster.port()};
  std::set<std::string> left;
  for (auto& [id, key] : keys_of_jobs(seen))
    left.insert(id);
  cluster.wait_until(
    "every acknowledged job has ended",
    [&] {
      if (left.empty())
        return true;
      auto id = *left.begin();
      auto job = read(gateway, "/api/v1/jobs/" + id + "?wait_ms=1000");
      if (!is_terminal(text(job, "status")))
        return false;
      seen.sightings.push_back({id, text(job, "status"), wall_ms()});
      left.erase(id);
      return left.empty();
    },
    limit);
}

void look_again(local_cluster& cluster, scenario::history& seen) {
  caller gateway{cluster.port()};
  for (auto& [id, key] : keys_of_jobs(seen))
    seen.sightings.push_back({id, text(read(gateway, "/api/v1/jobs/" + id), "status"), wall_ms()});
}

void read_history(local_cluster& cluster, scenario::history& seen) {
  caller gateway{cluster.port()};
  for (auto& [id, key] : keys_of_jobs(seen)) {
    seen.jobs.push_back(job_of(read(gateway, "/api/v1/jobs/" + id)));
    seen.jobs.back().idempotency_key = key;
    auto page = read(gateway, "/api/v1/jobs/" + id + "/executions");
    for (auto& each : page.at("executions"))
      seen.executions.push_back(execution_of(each));
  }
  auto members = read(gateway, "/api/v1/nodes");
  for (auto& each : members.at("nodes"))
    seen.nodes.push_back(
      {text(each, "id"), text(each, "state"), each.at("reputation_score").get<double>(), true});
  read_events(gateway, seen);
}

}  // namespace dim::tests
