#include "tools/scenario/invariants.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "tools/scenario/promises.hpp"
#include "tools/scenario/score_change.hpp"

namespace dim::scenario {

namespace {

/// Scores are written with six digits behind the point.
constexpr double score_tolerance = 1e-5;

bool is_terminal(const std::string& state) {
  return state == "completed" || state == "failed" || state == "cancelled";
}

/// All verdicts of one history, by promise.
class full_check {
public:
  explicit full_check(const history& seen) : seen_(seen), running_(seen.events_after) {
    for (int value = 0; value <= static_cast<int>(last_value(promise{})); ++value) {
      const auto each = static_cast<promise>(value);
      verdicts_.push_back({std::string{to_string(each)}, std::string{sentence_of(each)}, 0, {}});
    }
    for (const auto& job : seen.jobs)
      jobs_[job.id] = &job;
    for (const auto& execution : seen.executions)
      executions_[execution.id] = &execution;
  }

  std::vector<verdict> run() {
    replay();
    check_jobs();
    check_submissions();
    check_keys();
    check_executions();
    check_retries();
    check_epochs();
    check_consensus();
    check_reputation();
    check_numbers();
    return std::move(verdicts_);
  }

private:
  verdict& of(promise kept) {
    return verdicts_[static_cast<std::size_t>(kept)];
  }

  void count(promise kept, std::uint64_t more = 1) {
    of(kept).checked += more;
  }

  void add(promise broken, std::string detail) {
    of(broken).violations.push_back({std::string{to_string(broken)}, std::move(detail)});
  }

  void take(std::vector<violation> found) {
    for (auto& each : found)
      for (auto& verdict : verdicts_)
        if (verdict.invariant == each.invariant)
          verdict.violations.push_back(each);
  }

  /// What could have been seen at once, in the order in which it came.
  void replay() {
    for (const auto& each : seen_.submissions)
      take(running_.note(each));
    for (const auto& each : seen_.events) {
      take(running_.note(each));
      if (each.kind == "node_lost")
        count(promise::lost_once_a_loss);
      if (each.kind == "execution_lost")
        count(promise::fenced_changes_nothing);
    }
    for (const auto& each : seen_.sightings)
      take(running_.note(each));
    count(promise::event_numbers_have_no_gaps, seen_.events.size());
    count(promise::terminal_state_is_final, seen_.sightings.size());
  }

  void check_jobs() {
    std::map<std::string, std::string> seen_ends;
    for (const auto& each : seen_.sightings)
      if (is_terminal(each.state))
        seen_ends.try_emplace(each.job_id, each.state);
    for (const auto& job : seen_.jobs) {
      count(promise::completed_job_has_result);
      if (job.has_result != (job.state == "completed"))
        add(promise::completed_job_has_result, "job " + job.id + " is " + job.state + " and has "
                                                 + (job.has_result ? "a result" : "no result"));
      const auto logged = running_.logged_end_of(job.id);
      if (!logged.empty() && logged != job.state)
        add(promise::terminal_state_is_final,
            "job " + job.id + " was logged " + logged + " and is " + job.state);
      const auto end = seen_ends.find(job.id);
      if (end != seen_ends.end() && end->second != job.state)
        add(promise::terminal_state_is_final,
            "job " + job.id + " was seen " + end->second + " and is " + job.state);
    }
  }

  void check_submissions() {
    std::set<std::string> acknowledged;
    for (const auto& each : seen_.submissions)
      acknowledged.insert(each.job_id);
    for (const auto& id : acknowledged) {
      count(promise::acknowledged_job_ends);
      const auto found = jobs_.find(id);
      if (found == jobs_.end())
        add(promise::acknowledged_job_ends, "job " + id + " was acknowledged and is gone");
      else if (!is_terminal(found->second->state))
        add(promise::acknowledged_job_ends, "job " + id + " is still " + found->second->state);
      else if (!seen_.events.empty() && running_.logged_end_of(id).empty())
        add(promise::acknowledged_job_ends,
            "job " + id + " is " + found->second->state + ", and no event says so");
    }
  }

  void check_keys() {
    std::map<std::string, std::string> job_of_key;
    std::set<std::string> keys;
    for (const auto& each : seen_.submissions)
      if (!each.idempotency_key.empty())
        keys.insert(each.idempotency_key);
    for (const auto& job : seen_.jobs) {
      if (job.idempotency_key.empty())
        continue;
      keys.insert(job.idempotency_key);
      const auto [other, is_new] = job_of_key.try_emplace(job.idempotency_key, job.id);
      if (!is_new)
        add(promise::one_job_per_key,
            "key \"" + job.idempotency_key + "\" has the jobs " + other->second + " and " + job.id);
    }
    count(promise::one_job_per_key, keys.size());
  }

  /// What one answer is wanted of, within a step.
  std::string place_of(const final_execution& each) const {
    const auto job = jobs_.find(each.job_id);
    const auto pattern = job != jobs_.end() ? job->second->pattern : std::string{};
    // Its participants are nodes, numbered anew by each engine.
    if (pattern == "collaborative")
      return "node " + each.node_id;
    const auto slot = "slot " + std::to_string(each.slot);
    // One that loses its node runs all its models on another one, as the next attempt; what the
    // first had answered does not count.
    return pattern == "comparative" ? slot + ", attempt " + std::to_string(each.attempt) : slot;
  }

  void check_executions() {
    std::map<std::string, std::uint32_t> last_epoch;
    for (const auto& each : seen_.executions)
      last_epoch[each.job_id] = std::max(last_epoch[each.job_id], each.epoch);
    std::map<std::tuple<std::string, std::uint32_t, std::string>, std::string> answers;
    for (const auto& each : seen_.executions) {
      count(promise::execution_counts_once);
      if (each.state != "completed" || each.epoch != last_epoch[each.job_id])
        continue;
      const auto [other, is_new] =
        answers.try_emplace({each.job_id, each.step, place_of(each)}, each.id);
      if (!is_new)
        add(promise::execution_counts_once, "job " + each.job_id + ", step "
                                              + std::to_string(each.step) + ", "
                                              + place_of(each) + " has the answers "
                                              + other->second + " and " + each.id);
    }
    for (const auto& event : seen_.events) {
      const auto found = executions_.find(event.execution_id);
      if (!score_change_of(event) || found == executions_.end())
        continue;
      if (found->second->state != "completed")
        add(promise::execution_counts_once,
            "execution " + event.execution_id + " was scored and is " + found->second->state);
    }
  }

  /// Voters share one node, and participants have their own data: only the others can move. Where
  /// no new node fits, one that has failed may be tried again.
  void check_retries() {
    std::map<std::tuple<std::string, std::uint32_t, std::uint32_t, std::uint32_t>,
             std::set<std::string>>
      places;
    for (const auto& each : seen_.executions) {
      const auto job = jobs_.find(each.job_id);
      const auto moves = job != jobs_.end()
                         && (job->second->pattern == "single" || job->second->pattern == "chained"
                             || job->second->pattern == "replicated");
      if (!moves || each.node_id.empty())
        continue;
      count(promise::retry_goes_elsewhere);
      auto& tried = places[std::tuple{each.job_id, each.epoch, each.step, each.slot}];
      const auto other
        = std::find_if(each.fitting_nodes.begin(), each.fitting_nodes.end(),
                       [&](const std::string& node) { return !tried.contains(node); });
      if (tried.contains(each.node_id) && other != each.fitting_nodes.end())
        add(promise::retry_goes_elsewhere, "execution " + each.id + " of job " + each.job_id
                                             + " is on " + each.node_id
                                             + " again, and " + *other + " would have fitted");
      tried.insert(each.node_id);
    }
  }

  /// An engine takes up executions of an older epoch, but once it has made a new one in their place
  /// they are given up. Those of hedged jobs may go on beside it, and are not looked at here.
  void check_epochs() {
    std::map<std::tuple<std::string, std::uint32_t, std::string>, std::uint32_t> newest;
    for (const auto& event : seen_.events) {
      const auto found = executions_.find(event.execution_id);
      const auto job = jobs_.find(event.job_id);
      const bool is_hedged = job != jobs_.end() && job->second->is_hedged;
      if (found == executions_.end() || !event.kind.starts_with("execution_") || is_hedged)
        continue;
      auto& epoch = newest[{event.job_id, found->second->step, place_of(*found->second)}];
      const auto own = found->second->epoch;
      epoch = std::max(epoch, own);
      if (event.kind == "execution_completed" && own < epoch)
        add(promise::fenced_changes_nothing, "execution " + event.execution_id + " of epoch "
                                               + std::to_string(own) + " completed in epoch "
                                               + std::to_string(epoch) + " (event "
                                               + std::to_string(event.number) + ")");
    }
  }

  void check_consensus() {
    std::map<std::string, std::set<std::string>> agreeing;
    for (const auto& each : seen_.executions)
      if (each.verdict == "agreed" && each.state == "completed")
        agreeing[each.job_id].insert(each.node_id);
    for (const auto& job : seen_.jobs) {
      if (job.pattern != "replicated" || job.state != "completed")
        continue;
      count(promise::consensus_of_different_nodes);
      const auto nodes = agreeing[job.id].size();
      if (nodes < job.consensus)
        add(promise::consensus_of_different_nodes, "job " + job.id + " is completed with "
                                                     + std::to_string(nodes) + " agreeing nodes of "
                                                     + std::to_string(job.consensus));
    }
  }

  double first_score(const std::string& node_id) const {
    const auto known = seen_.reputation_before.find(node_id);
    return known == seen_.reputation_before.end() ? seen_.reputation_initial : known->second;
  }

  void check_reputation() {
    std::map<std::string, double> scores;
    for (const auto& event : seen_.events) {
      if (event.kind != "reputation_changed")
        continue;
      const auto change = score_change_of(event);
      const auto where = "node " + event.node_id + " (event " + std::to_string(event.number) + ")";
      count(promise::reputation_is_replayed);
      if (!change) {
        add(promise::reputation_is_replayed, where + ": the detail has no points and score");
        continue;
      }
      auto& score = scores.try_emplace(event.node_id, first_score(event.node_id)).first->second;
      const auto expected = std::max(score + change->points, seen_.reputation_floor);
      if (std::abs(expected - change->score) > score_tolerance)
        add(promise::reputation_is_replayed, where + ": " + std::to_string(score) + " and "
                                               + std::to_string(change->points) + " make "
                                               + std::to_string(change->score));
      score = change->score;
    }
    for (const auto& node : seen_.nodes) {
      count(promise::reputation_is_replayed);
      const auto found = scores.find(node.id);
      const auto expected = found == scores.end() ? first_score(node.id) : found->second;
      if (std::abs(expected - node.reputation) > score_tolerance)
        add(promise::reputation_is_replayed, "node " + node.id + " has "
                                               + std::to_string(node.reputation) + ", the log "
                                               + std::to_string(expected));
    }
  }

  void check_numbers() {
    for (const auto& each : seen_.gauges) {
      count(promise::limits_are_kept);
      if (each.peak > each.limit)
        add(promise::limits_are_kept, each.name + " came to " + std::to_string(each.peak)
                                        + ", the limit is " + std::to_string(each.limit));
    }
    for (const auto& each : seen_.baselines) {
      count(promise::baselines_are_restored);
      if (each.after != each.before)
        add(promise::baselines_are_restored, each.name + " was " + std::to_string(each.before)
                                               + " and is " + std::to_string(each.after));
    }
    for (const auto& node : seen_.nodes) {
      if (!node.is_expected)
        continue;
      count(promise::nodes_are_members);
      if (node.state == "joining" || node.state == "suspect" || node.state == "offline")
        add(promise::nodes_are_members, "node " + node.id + " is " + node.state);
    }
  }

  const history& seen_;
  running_check running_;
  std::vector<verdict> verdicts_;
  std::map<std::string, const final_job*> jobs_;
  std::map<std::string, const final_execution*> executions_;
};

}  // namespace

std::vector<verdict> check(const history& seen) {
  return full_check{seen}.run();
}

}  // namespace dim::scenario
