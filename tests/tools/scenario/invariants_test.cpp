#include "tools/scenario/invariants.hpp"

#include <functional>

#include <doctest/doctest.h>

#include "tests/tools/scenario/sample_history.hpp"
#include "tools/scenario/promises.hpp"

using namespace dim::scenario;

namespace {

/// The promises that `seen` breaks, each with its first violation.
std::map<std::string, std::string> broken(const history& seen) {
  std::map<std::string, std::string> result;
  for (const auto& each : check(seen))
    if (!each.violations.empty())
      result[each.invariant] = each.violations.front().detail;
  return result;
}

/// Plants something in a clean history, and demands that exactly one promise is broken by it.
void plant(promise expected, const char* words, const std::function<void(history&)>& spoil) {
  auto seen = sample_history();
  spoil(seen);
  const auto found = broken(seen);
  INFO("planted for " << std::string{to_string(expected)});
  REQUIRE(found.size() == 1);
  CHECK(found.begin()->first == to_string(expected));
  INFO(found.begin()->second);
  CHECK(found.begin()->second.find(words) != std::string::npos);
}

final_execution* execution(history& seen, const std::string& id) {
  for (auto& each : seen.executions)
    if (each.id == id)
      return &each;
  return nullptr;
}

}  // namespace

TEST_CASE("a clean history breaks no promise, and every promise has something to check") {
  const auto verdicts = check(sample_history());
  CHECK(verdicts.size() == static_cast<std::size_t>(last_value(promise{})) + 1);
  for (const auto& each : verdicts) {
    INFO(each.invariant);
    CHECK(each.violations.empty());
    CHECK(each.checked > 0);
    CHECK(each.promise.back() == '.');
  }
}

TEST_CASE("an empty history breaks nothing and proves nothing") {
  for (const auto& each : check({})) {
    CHECK(each.violations.empty());
    CHECK(each.checked == 0);
  }
}

TEST_CASE("an acknowledged job that is gone, goes on, or ends twice is found") {
  plant(promise::acknowledged_job_ends, "is gone", [](history& seen) {
    seen.submissions.push_back({"key-9", "job-9", 50});
  });
  plant(promise::acknowledged_job_ends, "is still running", [](history& seen) {
    seen.submissions.push_back({"key-9", "job-9", 50});
    seen.jobs.push_back({"job-9", "single", "running", "", "key-9", 0, 0, false});
  });
  plant(promise::acknowledged_job_ends, "no event says so", [](history& seen) {
    seen.submissions.push_back({"key-9", "job-9", 50});
    seen.jobs.push_back({"job-9", "single", "failed", "", "key-9", 0, 0, false});
  });
  plant(promise::acknowledged_job_ends, "ended as cancelled, then as cancelled",
        [](history& seen) { append_event(seen, "job_cancelled", "gone"); });
}

TEST_CASE("a terminal state that changes is found in the log, by a client and in the end") {
  plant(promise::terminal_state_is_final, "was cancelled, then running",
        [](history& seen) { append_event(seen, "job_running", "gone"); });
  plant(promise::terminal_state_is_final, "was seen cancelled, then running", [](history& seen) {
    seen.sightings.push_back({"gone", "running", 80});
  });
  plant(promise::terminal_state_is_final, "was logged completed, and seen failed",
        [](history& seen) {
          seen.sightings.push_back({"vote", "failed", 80});
        });
  plant(promise::terminal_state_is_final, "was logged cancelled and is failed",
        [](history& seen) { seen.jobs.back().state = "failed"; });
}

TEST_CASE("a result that is missing, or that a failed job has, is found") {
  plant(promise::completed_job_has_result, "has no result",
        [](history& seen) { seen.jobs.front().has_result = false; });
  plant(promise::completed_job_has_result, "has a result",
        [](history& seen) { seen.jobs.back().has_result = true; });
}

TEST_CASE("two jobs of one key, and one job of two keys, are found") {
  plant(promise::one_job_per_key, "made the jobs single and vote", [](history& seen) {
    seen.submissions.push_back({"key-1", "vote", 50});
    // The key of the second is the one that it has already, so that only one promise is broken.
    seen.submissions[1].idempotency_key = "key-1";
    seen.submissions[1].job_id = "vote";
  });
  plant(promise::one_job_per_key, "answers the keys", [](history& seen) {
    seen.submissions.push_back({"key-8", "vote", 50});
  });
  plant(promise::one_job_per_key, "has the jobs",
        [](history& seen) { seen.jobs.back().idempotency_key = "key-1"; });
}

TEST_CASE("an execution that ends, is scored or answers twice is found") {
  plant(promise::execution_counts_once, "execution_completed, then execution_failed",
        [](history& seen) { append_event(seen, "execution_failed", "single", "s2", "node-1"); });
  plant(promise::execution_counts_once, "execution_completed, then execution_started",
        [](history& seen) { append_event(seen, "execution_started", "single", "s2", "node-1"); });
  plant(promise::execution_counts_once, "scored twice", [](history& seen) {
    append_event(seen, "reputation_changed", "vote", "v1", "node-1",
                 score_detail(5, 110, "agreed"));
    seen.nodes.front().reputation = 110;
  });
  plant(promise::execution_counts_once, "was scored and is failed",
        [](history& seen) { execution(seen, "v3")->state = "failed"; });
  plant(promise::execution_counts_once, "has the answers s1 and s2",
        [](history& seen) { execution(seen, "s1")->state = "completed"; });
}

TEST_CASE("a retry on the node where its place had failed is found") {
  const auto stays = [](history& seen) {
    execution(seen, "s2")->node_id = execution(seen, "s1")->node_id;
    execution(seen, "s2")->fitting_nodes = {execution(seen, "s1")->node_id};
  };
  plant(promise::retry_goes_elsewhere, "s2 of job single is on node-3 again", [&](history& seen) {
    stays(seen);
    execution(seen, "s2")->fitting_nodes.push_back("node-7");
  });
  auto seen = sample_history();
  stays(seen);
  CHECK(broken(seen).empty());
}

TEST_CASE("an answer of an older epoch beside one of the last is no double answer") {
  auto seen = sample_history();
  execution(seen, "s1")->state = "completed";
  execution(seen, "s2")->epoch = 1;
  CHECK(broken(seen).empty());
}

TEST_CASE("an execution that was taken up under its older epoch, beside newer ones, is no breach") {
  auto seen = sample_history();
  execution(seen, "v1")->epoch = 1;
  execution(seen, "v3")->epoch = 1;
  CHECK(broken(seen).empty());
}

TEST_CASE("a comparative job that starts over on another node answers once in each attempt") {
  auto seen = sample_history();
  for (auto& job : seen.jobs)
    if (job.id == "single")
      job.pattern = "comparative";
  execution(seen, "s1")->state = "completed";
  execution(seen, "s2")->attempt = 2;
  CHECK(broken(seen).empty());
  execution(seen, "s2")->attempt = 1;
  CHECK_FALSE(broken(seen).empty());
}

TEST_CASE("what was lost and still has an effect is found") {
  plant(promise::fenced_changes_nothing, "execution_lost, then execution_completed",
        [](history& seen) { append_event(seen, "execution_completed", "single", "s1", "node-3"); });
  plant(promise::fenced_changes_nothing, "scored after it was lost", [](history& seen) {
    append_event(seen, "reputation_changed", "single", "s1", "node-3",
                 score_detail(5, 75, "agreed"));
    seen.nodes[2].reputation = 75;
    std::erase_if(seen.executions, [](const auto& each) { return each.id == "s1"; });
  });
  plant(promise::fenced_changes_nothing, "of epoch 0 completed in epoch 1", [](history& seen) {
    execution(seen, "s1")->epoch = 1;
  });
  auto seen = sample_history();
  execution(seen, "s1")->epoch = 1;
  CHECK_FALSE(broken(seen).empty());
  for (auto& job : seen.jobs)
    job.is_hedged = true;
  CHECK(broken(seen).empty());
}

TEST_CASE("a consensus of too few nodes is found") {
  plant(promise::consensus_of_different_nodes, "with 1 agreeing nodes of 2",
        [](history& seen) { execution(seen, "v2")->verdict = ""; });
  plant(promise::consensus_of_different_nodes, "with 1 agreeing nodes of 2",
        [](history& seen) { execution(seen, "v2")->node_id = "node-1"; });
}

TEST_CASE("a reputation that is not the replay of the log is found") {
  plant(promise::reputation_is_replayed, "node node-2 has 106",
        [](history& seen) { seen.nodes[1].reputation = 106; });
  plant(promise::reputation_is_replayed, "make 90", [](history& seen) {
    for (auto& event : seen.events)
      if (event.node_id == "node-2" && !event.detail.empty())
        event.detail = score_detail(5, 90, "agreed");
    seen.nodes[1].reputation = 90;
  });
  plant(promise::reputation_is_replayed, "no points and score", [](history& seen) {
    append_event(seen, "reputation_changed", "", "", "node-2", "{\"points\":5}");
  });
}

TEST_CASE("a reputation starts from what it was before the run, and stops at the floor") {
  history seen;
  seen.events_after = 70;
  seen.reputation_before["node-1"] = 12;
  append_event(seen, "node_lost", "", "", "node-1");
  append_event(seen, "reputation_changed", "", "", "node-1", score_detail(-20, 0, "lost"));
  seen.nodes = {{"node-1", "online", 0, true}};
  CHECK(broken(seen).empty());
  seen.events_after = 69;
  CHECK(broken(seen).contains("event_numbers_have_no_gaps"));
}

TEST_CASE("a second loss, or a second punishment for one, before the node joined is found") {
  plant(promise::lost_once_a_loss, "was lost again", [](history& seen) {
    append_event(seen, "node_lost", "", "", "node-1");
    append_event(seen, "node_lost", "", "", "node-1");
  });
  plant(promise::lost_once_a_loss, "without a loss", [](history& seen) {
    append_event(seen, "reputation_changed", "", "", "node-1", score_detail(-20, 85, "lost"));
    seen.nodes.front().reputation = 85;
  });
  plant(promise::lost_once_a_loss, "twice for one loss", [](history& seen) {
    append_event(seen, "node_lost", "", "", "node-1");
    append_event(seen, "reputation_changed", "", "", "node-1", score_detail(-20, 85, "lost"));
    append_event(seen, "reputation_changed", "", "", "node-1", score_detail(-20, 65, "lost"));
    seen.nodes.front().reputation = 65;
  });
}

TEST_CASE("a gap or a repetition in the numbers of events is found") {
  plant(promise::event_numbers_have_no_gaps, "follows event", [](history& seen) {
    for (std::size_t i = 4; i < seen.events.size(); ++i)
      ++seen.events[i].number;
  });
  plant(promise::event_numbers_have_no_gaps, "event 3 follows event 3", [](history& seen) {
    for (std::size_t i = 3; i < seen.events.size(); ++i)
      --seen.events[i].number;
  });
  plant(promise::event_numbers_have_no_gaps, "event 2 follows event 0",
        [](history& seen) { seen.events.erase(seen.events.begin()); });
}

TEST_CASE("a limit that was passed, and a baseline that was not reached again, are found") {
  plant(promise::limits_are_kept, "queue came to 9",
        [](history& seen) { seen.gauges.front().peak = 9; });
  plant(promise::baselines_are_restored, "waiting was 0 and is 1",
        [](history& seen) { seen.baselines.front().after = 1; });
}

TEST_CASE("an expected node that is no member at the end is found") {
  for (const char* state : {"offline", "suspect", "joining"})
    plant(promise::nodes_are_members, state,
          [state](history& seen) { seen.nodes.front().state = state; });
}

TEST_CASE("the running check finds while a run goes on what the whole check finds after it") {
  auto seen = sample_history();
  running_check running;
  for (const auto& each : seen.submissions)
    CHECK(running.note(each).empty());
  for (const auto& each : seen.events)
    CHECK(running.note(each).empty());
  for (const auto& each : seen.sightings)
    CHECK(running.note(each).empty());
  CHECK(running.logged_end_of("gone") == "cancelled");
  append_event(seen, "job_running", "gone");
  const auto found = running.note(seen.events.back());
  REQUIRE(found.size() == 1);
  CHECK(found.front().invariant == "terminal_state_is_final");
  CHECK(running.note(submission{"key-1", "job-7", 90}).size() == 1);
  CHECK(running.note(sighting{"single", "failed", 90}).size() == 1);
}
