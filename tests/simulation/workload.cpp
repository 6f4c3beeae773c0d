#include "tests/simulation/workload.hpp"

#include <algorithm>
#include <array>

#include "tests/simulation/sample_models.hpp"

namespace dim::simulation {

namespace {

using actors::pattern;

std::string model_of(runtime::random_source& random) {
  auto& names = sample_model_names();
  return names[random.below(names.size())];
}

actors::step_spec step_of(const std::string& model) {
  actors::step_spec step;
  step.model = model;
  return step;
}

/// Few for comparative jobs, whose models would not agree on thousands of rows.
std::int64_t rows_of(pattern kind, runtime::random_source& random) {
  return sample_rows(random, kind == pattern::comparative ? 0 : 12);
}

/// A second execution beside a slow one, for some jobs whose executions may move.
std::uint64_t hedge_of(pattern kind, runtime::random_source& random) {
  const bool may_move = kind != pattern::replicated && kind != pattern::collaborative;
  return may_move && random.below(3) == 0 ? 100 + random.below(3'000) : 0;
}

/// Fills in models, replicas and the answers that may come of it.
void fill_pattern(planned_job& job, std::uint32_t nodes, runtime::random_source& random) {
  auto& spec = job.request.spec;
  auto first = model_of(random);
  spec.steps = {step_of(first)};
  switch (spec.kind) {
    case pattern::single:
      job.right_outputs = {right_answer(first, spec.inputs)};
      break;
    case pattern::replicated:
      spec.redundancy = std::min<std::uint32_t>(random.below(4) == 0 ? 5 : 3, nodes);
      spec.consensus = spec.redundancy / 2 + 1;
      // Not by labels: a wrong answer has the label of the right one here.
      spec.compare = std::array{actors::comparison::automatic, actors::comparison::exact,
                                actors::comparison::tensor}[random.below(3)];
      job.right_outputs = {right_answer(first, spec.inputs)};
      break;
    case pattern::comparative:
      spec.steps.clear();
      for (auto& name : sample_model_names()) {
        spec.steps.push_back(step_of(name));
        job.right_outputs.push_back(right_answer(name, spec.inputs));
      }
      break;
    case pattern::chained: {
      auto outputs = right_answer(first, spec.inputs);
      for (auto more = 1 + random.below(2); more > 0; --more) {
        spec.steps.push_back(step_of(model_of(random)));
        outputs = right_answer(spec.steps.back().model, outputs);
      }
      job.right_outputs = {outputs};
      break;
    }
    case pattern::collaborative:
      spec.inputs.clear();
      spec.cabinet = "ward";
      break;
  }
}

}  // namespace

std::vector<planned_job> plan_jobs(const scenario::workload& load, std::uint32_t nodes,
                                   std::int64_t start_ms, runtime::random_source& random) {
  std::vector<planned_job> jobs(load.jobs);
  auto span_ms = std::max(1.0, 1'000.0 * load.jobs / std::max(load.rate, 0.001));
  for (auto& job : jobs)
    job.submit_at_ms = start_ms + static_cast<std::int64_t>(random.unit() * span_ms);
  std::sort(jobs.begin(), jobs.end(), [](const planned_job& one, const planned_job& other) {
    return one.submit_at_ms < other.submit_at_ms;
  });
  for (std::size_t index = 0; index < jobs.size(); ++index) {
    auto& job = jobs[index];
    auto& spec = job.request.spec;
    auto& word = load.patterns[random.below(load.patterns.size())];
    spec.kind = actors::pattern_from(word).value_or(pattern::single);
    spec.name = "job-" + std::to_string(index);
    spec.priority = static_cast<std::uint32_t>(random.below(10));
    spec.submitted_by = "user-" + std::to_string(random.below(3));
    spec.timeout_ms = load.timeout_ms;
    spec.hedge_after_ms = hedge_of(spec.kind, random);
    spec.inputs = {sample_input(index, rows_of(spec.kind, random))};
    fill_pattern(job, nodes, random);
    job.request.idempotency_key = "key-" + std::to_string(index);
    job.request.body_digest = "body-" + std::to_string(index);
    if (random.unit() < load.cancelled)
      job.cancel_at_ms = job.submit_at_ms + static_cast<std::int64_t>(random.below(4'000));
    if (random.unit() < load.resubmitted)
      job.resubmit_at_ms = job.submit_at_ms + static_cast<std::int64_t>(random.below(10'000));
  }
  return jobs;
}

}  // namespace dim::simulation
