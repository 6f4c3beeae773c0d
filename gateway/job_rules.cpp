#include "gateway/job_rules.hpp"

#include <algorithm>
#include <array>

namespace dim::gateway {

namespace {

using actors::pattern;

constexpr std::array every_pattern{pattern::single, pattern::replicated, pattern::collaborative,
                                   pattern::comparative, pattern::chained};

constexpr unsigned bit(pattern kind) {
  return 1u << static_cast<unsigned>(kind);
}

/// A member that only some patterns take.
struct member_rule {
  std::string_view name;
  unsigned allowed;
  bool is_required;
};

constexpr unsigned with_inputs = bit(pattern::single) | bit(pattern::replicated)
                                 | bit(pattern::comparative) | bit(pattern::chained);

/// Executions that may move to another node while they run.
constexpr unsigned with_hedges =
  bit(pattern::single) | bit(pattern::comparative) | bit(pattern::chained);

constexpr std::array<member_rule, 13> member_rules{{
  {"model", bit(pattern::single) | bit(pattern::replicated) | bit(pattern::collaborative), true},
  {"models", bit(pattern::comparative), true},
  {"steps", bit(pattern::chained), true},
  {"inputs", with_inputs, true},
  {"array", with_inputs, false},
  {"cabinet", bit(pattern::collaborative), true},
  {"redundancy", bit(pattern::replicated), false},
  {"consensus", bit(pattern::replicated), false},
  {"compare", bit(pattern::replicated), false},
  {"vote", bit(pattern::comparative), false},
  {"aggregate", bit(pattern::collaborative), false},
  {"reduce", bit(pattern::collaborative), false},
  {"hedge_after_ms", with_hedges, false},
}};

std::string names_of(unsigned kinds) {
  std::string result;
  for (auto kind : every_pattern)
    if ((kinds & bit(kind)) != 0)
      result += (result.empty() ? "" : ", ") + in_quotes(to_string(kind));
  return result;
}

void check_members(const job_draft& draft, problem_list& problems) {
  auto check = [&](const member_rule& rule) {
    auto path = json_path{};
    auto is_allowed = (rule.allowed & bit(*draft.kind)) != 0;
    auto is_given = draft.given.contains(rule.name);
    auto is_replaced = rule.name == "inputs" && draft.given.contains("array");
    if (is_given && is_replaced)
      problems.add(path.member(rule.name), "not together with array, which gives each job its own");
    if (is_given && !is_allowed)
      problems.add(path.member(rule.name), "only for pattern " + names_of(rule.allowed));
    if (!is_given && !is_replaced && is_allowed && rule.is_required)
      problems.add(path.member(rule.name),
                   "missing; pattern " + in_quotes(to_string(*draft.kind)) + " needs it");
  };
  std::for_each(member_rules.begin(), member_rules.end(), check);
}

void check_consensus(job_draft& draft, problem_list& problems) {
  auto n = draft.redundancy.value_or(draft.spec.redundancy);
  auto majority = n / 2 + 1;
  auto k = draft.consensus.value_or(majority);
  auto readable = draft.given.contains("redundancy") == draft.redundancy.has_value()
                  && draft.given.contains("consensus") == draft.consensus.has_value();
  if (readable && (k > n || k < majority))
    problems.add_mismatch(
      json_path{}.member("consensus"),
      "more than half of redundancy (" + std::to_string(n) + ") and at most all of it",
      std::to_string(k));
  draft.spec.redundancy = n;
  draft.spec.consensus = k;
}

void check_voters(job_draft& draft, problem_list& problems) {
  auto path = json_path{};
  auto& models = draft.models;
  if (models.size() == 1)
    problems.add(path.member("models"), "a vote needs at least 2 models");
  for (std::size_t i = 0; i < models.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (!models[i].model.empty() && models[i].model == models[j].model
          && models[i].version == models[j].version) {
        problems.add(path.member("models").at(i), "the same as models[" + std::to_string(j) + "]");
        break;
      }
  auto vote = path.member("vote");
  auto is_weighted = draft.vote.method == actors::vote_method::weighted;
  auto has_weights = draft.vote.given.contains("weights");
  if (has_weights && !is_weighted)
    problems.add(vote.member("weights"), "only for method \"weighted\"");
  if (is_weighted && !has_weights)
    problems.add(vote.member("weights"), "missing; method \"weighted\" needs one for each model");
  if (is_weighted && has_weights && draft.vote.weights.size() != models.size())
    problems.add_mismatch(vote.member("weights"), std::to_string(models.size()) + " weights",
                          std::to_string(draft.vote.weights.size()));
  for (std::size_t i = 0; i < std::min(models.size(), draft.vote.weights.size()); ++i)
    models[i].weight = draft.vote.weights[i];
  draft.spec.vote = draft.vote.method;
  draft.spec.tie_abstains = draft.vote.tie_abstains;
}

void check_reduction(job_draft& draft, problem_list& problems) {
  auto path = json_path{};
  auto reduce = path.member("reduce");
  auto& wanted = draft.reduce;
  if (wanted.method != actors::reduction::histogram)
    for (std::string_view name : {"bins", "low", "high"})
      if (wanted.given.contains(name))
        problems.add(reduce.member(name), "only for method \"histogram\"");
  if (!(wanted.low < wanted.high))
    problems.add(reduce.member("low"), "must be below high");
  draft.spec.reduce = wanted.method;
  draft.spec.histogram_bins = wanted.bins;
  draft.spec.histogram_low = wanted.low;
  draft.spec.histogram_high = wanted.high;

  auto aggregate = path.member("aggregate");
  if (draft.aggregate.given.contains("trim")) {
    if (draft.aggregate.method != actors::aggregation::trimmed_mean)
      problems.add(aggregate.member("trim"), "only for method \"trimmed_mean\"");
    if (!(draft.aggregate.trim >= 0.0 && draft.aggregate.trim < 0.5))
      problems.add(aggregate.member("trim"), "expected a share from 0 to below 0.5 of each side");
  }
  draft.spec.aggregate = draft.aggregate.method;
  draft.spec.trim = draft.aggregate.trim;
}

void check_nodes(job_draft& draft, problem_list& problems) {
  auto path = json_path{};
  auto nodes = path.member("nodes");
  auto& choice = draft.nodes.choice;
  if (draft.kind && *draft.kind != pattern::collaborative)
    for (std::string_view name : {"min", "max"})
      if (draft.nodes.given.contains(name))
        problems.add(nodes.member(name), "only for pattern \"collaborative\"");
  if (choice.max != 0 && choice.max < choice.min)
    problems.add_mismatch(nodes.member("max"), "at least min (" + std::to_string(choice.min) + ")",
                          std::to_string(choice.max));
  auto included = std::set<std::string>{choice.include.begin(), choice.include.end()};
  for (std::size_t i = 0; i < choice.exclude.size(); ++i)
    if (included.contains(choice.exclude[i]))
      problems.add(nodes.member("exclude").at(i), "is included as well");
  draft.spec.nodes = std::move(choice);
}

void check_retry(job_draft& draft, problem_list& problems) {
  auto path = json_path{};
  auto choice = draft.limits.retry;
  auto& wanted = draft.retry;
  if (wanted.given.contains("attempts_max"))
    choice.attempts_max = wanted.choice.attempts_max;
  if (wanted.given.contains("backoff_ms"))
    choice.backoff_ms = wanted.choice.backoff_ms;
  if (wanted.given.contains("backoff_max_ms"))
    choice.backoff_max_ms = wanted.choice.backoff_max_ms;
  if (choice.backoff_max_ms < choice.backoff_ms)
    problems.add_mismatch(path.member("retry").member("backoff_max_ms"),
                          "at least backoff_ms (" + std::to_string(choice.backoff_ms) + ")",
                          std::to_string(choice.backoff_max_ms));
  draft.spec.retry = choice;
}

}  // namespace

job_limits limits_from(const config::orchestrator_options& jobs,
                       const config::gateway_options& gateway) {
  job_limits limits;
  limits.timeout_ms = jobs.job_timeout_ms;
  limits.timeout_ms_max = jobs.job_timeout_ms_max;
  limits.hedge_after_ms = jobs.hedge_after_ms;
  limits.redundancy_max = jobs.redundancy_max;
  limits.steps_max = jobs.steps_max;
  limits.array_jobs_max = jobs.array_jobs_max;
  limits.retry = {jobs.retry_attempts_max, jobs.retry_backoff_ms, jobs.retry_backoff_max_ms};
  limits.tensor_rank_max = gateway.json_depth_max;
  limits.problems_max = gateway.problems_max;
  return limits;
}

actors::job_spec apply_job_rules(job_draft draft, problem_list& problems) {
  check_nodes(draft, problems);
  check_retry(draft, problems);
  if (!draft.kind)
    return draft.spec;
  check_members(draft, problems);
  draft.spec.kind = *draft.kind;
  switch (*draft.kind) {
    case pattern::replicated:
      check_consensus(draft, problems);
      break;
    case pattern::comparative:
      check_voters(draft, problems);
      break;
    case pattern::collaborative:
      check_reduction(draft, problems);
      break;
    default:
      break;
  }
  draft.spec.steps = std::move(*draft.kind == pattern::comparative ? draft.models
                               : *draft.kind == pattern::chained   ? draft.steps
                                                                   : draft.model);
  if (!draft.given.contains("timeout_ms"))
    draft.spec.timeout_ms = draft.limits.timeout_ms;
  if (!draft.given.contains("hedge_after_ms") && (with_hedges & bit(*draft.kind)) != 0)
    draft.spec.hedge_after_ms = draft.limits.hedge_after_ms;
  return std::move(draft.spec);
}

}  // namespace dim::gateway
