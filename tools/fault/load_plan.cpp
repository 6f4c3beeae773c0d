#include "tools/fault/load_plan.hpp"

#include "runtime/random_source.hpp"

namespace dim::tools {

namespace {

/// Clients change their mind within this time.
constexpr std::uint64_t second_thought_ms = 2'000;

}  // namespace

std::vector<planned_job> load_of(const scenario::scenario& plan) {
  const auto& load = plan.load;
  runtime::random_source random{plan.seed};
  std::vector<planned_job> result;
  double at_ms = 0.0;
  for (std::uint32_t number = 0; number < load.jobs; ++number) {
    // Evenly at random: twice the mean at the most.
    at_ms += random.unit() * 2'000.0 / load.rate;
    planned_job job;
    job.at_ms = static_cast<std::int64_t>(at_ms);
    job.pattern = load.patterns[random.below(load.patterns.size())];
    if (random.unit() < load.cancelled)
      job.cancel_after_ms = static_cast<std::int64_t>(random.below(second_thought_ms));
    if (random.unit() < load.resubmitted)
      job.resubmit_after_ms = static_cast<std::int64_t>(random.below(second_thought_ms));
    job.seed = random.next();
    result.push_back(std::move(job));
  }
  return result;
}

}  // namespace dim::tools
