// What the clients of a simulated cluster over real BASP ask for, and the scenarios of a campaign.
#include <algorithm>

#include "actors/type_ids.hpp"
#include "tests/simulation/basp_world.hpp"
#include "tests/simulation/workload.hpp"

namespace dim::simulation {

void basp_world::start_client() {
  auto& gateway = *hosts_[1];
  client_arguments arguments;
  arguments.entry = gateway.entry;
  arguments.seed = plan_.seed;
  arguments.jobs = plan_jobs(plan_.load, plan_.nodes, now_ms() + 500, random_);
  arguments.checks_single_answers
    = std::none_of(plan_.faults.begin(), plan_.faults.end(), [](const scenario::fault& each) {
        return each.action == scenario::fault_action::wrong_result;
      });
  clients_->on_submission = [this](scenario::submission made) {
    made.at_ms = now_ms();
    result_.seen.submissions.push_back(std::move(made));
  };
  clients_->on_sighting = [this](scenario::sighting seen) {
    seen.at_ms = now_ms();
    result_.seen.sightings.push_back(std::move(seen));
  };
  clients_->on_problem = [this](const std::string& what, const std::string& detail) {
    note_violation(what, detail);
  };
  arguments.record = clients_;
  spawn_client(gateway.process->system(), std::move(arguments));
}

scenario::scenario basp_scenario(std::uint64_t seed) {
  using scenario::fault;
  using scenario::fault_action;
  runtime::random_source random{seed ^ 0x62617370};
  const auto between = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high - low)));
  };
  scenario::scenario plan;
  plan.name = "basp";
  plan.seed = seed;
  plan.nodes = 3 + static_cast<std::uint32_t>(random.below(3));
  plan.duration_ms = 30'000;
  plan.settle_ms = 180'000;
  plan.load.jobs = 20;
  plan.load.rate = 1.0;
  plan.load.patterns = {"single", "replicated", "comparative", "chained", "collaborative"};
  plan.load.cancelled = 0.1;
  plan.load.resubmitted = 0.2;
  plan.load.timeout_ms = 60'000;
  const auto strikes = [&](fault_action action, const char* target, std::int64_t lasts_ms) {
    fault added;
    added.action = action;
    added.target = target;
    added.from_ms = 4'000;
    added.every_ms = between(5'000, 40'000);
    added.lasts_ms = lasts_ms;
    plan.faults.push_back(added);
    return &plan.faults.back();
  };
  strikes(fault_action::kill, "node/*", between(500, 8'000));
  strikes(fault_action::kill, "orchestrator", between(500, 8'000));
  strikes(fault_action::stop, "*", between(500, 16'000));
  strikes(fault_action::drop, "*", 0);
  strikes(fault_action::partition, "*", between(500, 16'000))->one_way = random.below(2) == 0;
  strikes(fault_action::fill_disk, "orchestrator", between(500, 5'000));
  strikes(fault_action::clock_skew, "*", 0)->skew_ms = between(-5'000, 5'000);
  const auto holds = [&](fault_action action, double probability) {
    fault added;
    added.action = action;
    added.target = action == fault_action::wrong_result ? "node/n1" : "node/*";
    added.probability = probability;
    added.from_ms = between(4'000, 20'000);
    added.until_ms = added.from_ms + between(2'000, 10'000);
    added.delay_ms_max = between(5, 300);
    added.factor = 1.0 + random.unit() * 20.0;
    plan.faults.push_back(added);
  };
  holds(fault_action::delay, 1.0);
  holds(fault_action::slow, 1.0);
  holds(fault_action::wrong_result, 0.3);
  holds(fault_action::out_of_memory, 0.1);
  return plan;
}

}  // namespace dim::simulation
