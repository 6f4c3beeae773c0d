#include "tests/cluster/job_ends.hpp"

#include <set>
#include <thread>

#include <doctest/doctest.h>

#include "tests/cluster/job_load.hpp"

namespace dim::tests {

namespace {

using nlohmann::json;

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

std::set<std::string> jobs_in(const scenario::history& seen) {
  std::set<std::string> result;
  for (auto& each : seen.submissions)
    result.insert(each.job_id);
  return result;
}

}  // namespace

void await_ends(local_cluster& cluster, scenario::history& seen, std::chrono::milliseconds limit) {
  caller gateway{cluster.port()};
  auto left = jobs_in(seen);
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
  for (auto& id : jobs_in(seen))
    seen.sightings.push_back({id, text(read(gateway, "/api/v1/jobs/" + id), "status"), wall_ms()});
}

}  // namespace dim::tests
