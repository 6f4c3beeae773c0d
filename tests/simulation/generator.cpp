#include "tests/simulation/generator.hpp"

#include <string>
#include <vector>

#include "runtime/random_source.hpp"

namespace dim::simulation {

namespace {

using scenario::fault;
using scenario::fault_action;

/// Draws one scenario.
class drawing {
public:
  drawing(std::uint64_t seed, const generator_limits& limits)
    : random_(seed * 0x9e37'79b9'7f4a'7c15ull + 7), limits_(limits) {
  }

  scenario::scenario draw(std::uint64_t seed) {
    plan_.name = "seed " + std::to_string(seed);
    plan_.seed = seed;
    plan_.nodes = limits_.nodes_min
                  + static_cast<std::uint32_t>(
                    random_.below(limits_.nodes_max - limits_.nodes_min + 1));
    plan_.duration_ms = limits_.duration_ms;
    plan_.settle_ms = 420'000;
    plan_.load.jobs = limits_.jobs;
    auto share = 0.3 + 0.6 * random_.unit();
    plan_.load.rate = 1'000.0 * limits_.jobs / (share * static_cast<double>(limits_.duration_ms));
    plan_.load.patterns = {"single",      "replicated", "replicated",
                           "comparative", "chained",    "collaborative"};
    plan_.load.cancelled = 0.15 * random_.unit();
    plan_.load.resubmitted = 0.2 * random_.unit();
    plan_.load.timeout_ms = static_cast<std::uint64_t>(between(30'000, 200'000));
    draw_processes();
    draw_links();
    draw_forwards();
    draw_disk_and_clock();
    return plan_;
  }

private:
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(high - low)));
  }
  bool chance(double share) {
    return random_.unit() < share;
  }
  std::string any_node() {
    return "node/n" + std::to_string(between(1, plan_.nodes + 1));
  }

  fault& add(fault_action action, std::string target) {
    fault one;
    one.action = action;
    one.target = std::move(target);
    plan_.faults.push_back(one);
    return plan_.faults.back();
  }

  void add_repeated(fault_action action, std::string target, std::int64_t every_ms,
                    std::int64_t lasts_ms) {
    auto& one = add(action, std::move(target));
    one.every_ms = every_ms;
    one.lasts_ms = lasts_ms;
    if (chance(0.3)) {
      one.from_ms = between(0, plan_.duration_ms / 2);
      one.until_ms = between(one.from_ms + 1, plan_.duration_ms);
    }
  }

  void draw_processes() {
    if (chance(0.6))
      add_repeated(fault_action::kill, "node/*", between(10'000, 100'000), between(500, 25'000));
    if (chance(0.5))
      add_repeated(fault_action::kill, "orchestrator", between(40'000, 200'000),
                   between(200, 12'000));
    if (chance(0.35))
      add_repeated(fault_action::stop, "node/*", between(15'000, 120'000), between(500, 25'000));
    if (chance(0.15))
      add_repeated(fault_action::stop, "orchestrator", between(60'000, 300'000),
                   between(500, 15'000));
    static const std::vector<std::string> of_orchestrator{
      "STORE", "EVENTS", "QUERIES", "MODELS", "REGISTRY", "SCHEDULER", "DISPATCHER",
      "JOB",   "ENGINE", "ENTRY"};
    for (auto count = random_.below(4); count > 0; --count)
      add_repeated(fault_action::kill,
                   "actor/" + of_orchestrator[random_.below(of_orchestrator.size())]
                     + "@orchestrator",
                   chance(0.1) ? between(3'000, 10'000) : between(10'000, 120'000), 0);
    static const std::vector<std::string> of_node{"NODE",  "CACHE",     "DEVICE", "AGENT",
                                                  "THREAD", "INFERENCE", "LINK"};
    for (auto count = random_.below(3); count > 0; --count)
      add_repeated(fault_action::kill,
                   "actor/" + of_node[random_.below(of_node.size())] + "@node/*",
                   between(5'000, 60'000), 0);
  }

  void draw_links() {
    if (chance(0.5)) {
      add_repeated(fault_action::partition, "node/*", between(10'000, 100'000),
                   between(200, 40'000));
      plan_.faults.back().peer = "orchestrator";
      plan_.faults.back().one_way = chance(0.4);
    }
    if (chance(0.15)) {
      add_repeated(fault_action::partition, "orchestrator", between(100'000, 300'000),
                   between(500, 20'000));
    }
    if (chance(0.2)) {
      add_repeated(fault_action::partition, "gateway/client", between(50'000, 200'000),
                   between(500, 20'000));
      plan_.faults.back().one_way = chance(0.4);
    }
    auto spoil = [this](fault_action action, double probability) {
      auto& one = add(action, chance(0.5) ? "node/*" : any_node());
      one.probability = probability;
      one.from_ms = between(0, plan_.duration_ms / 2);
      one.until_ms = between(one.from_ms + 1, plan_.duration_ms);
      return &one;
    };
    if (chance(0.25))
      spoil(fault_action::drop, 0.05 * random_.unit());
    if (chance(0.25))
      spoil(fault_action::duplicate, 0.1 * random_.unit());
    if (chance(0.25)) {
      auto* one = spoil(fault_action::delay, 0.2 * random_.unit());
      one->delay_ms_min = between(1, 500);
      one->delay_ms_max = between(500, 8'000);
    }
    if (chance(0.25))
      spoil(fault_action::corrupt, 0.1 * random_.unit())->messages = {"execution_finished",
                                                                      "run_execution"};
  }

  void draw_forwards() {
    auto of_forwards = [this](fault_action action, double probability) {
      auto& one = add(action, chance(0.6) ? any_node() : "node/*");
      one.probability = probability;
      one.from_ms = between(0, plan_.duration_ms / 2);
      one.until_ms = between(one.from_ms + 1, plan_.duration_ms);
      return &one;
    };
    if (chance(0.4))
      of_forwards(fault_action::slow, random_.unit())->factor =
        static_cast<double>(between(2, 100));
    if (chance(0.35))
      of_forwards(fault_action::wrong_result, 0.5 * random_.unit());
    if (chance(0.25))
      of_forwards(fault_action::out_of_memory, 0.3 * random_.unit());
  }

  void draw_disk_and_clock() {
    if (chance(0.2))
      add_repeated(fault_action::fill_disk, "orchestrator", between(60'000, 200'000),
                   between(200, 20'000));
    if (chance(0.3))
      add(fault_action::clock_skew, "node/*").skew_ms = between(-100'000, 100'000);
    if (chance(0.15)) {
      auto& one = add(fault_action::clock_skew, "orchestrator");
      one.from_ms = between(0, plan_.duration_ms);
      one.skew_ms = between(-3'000, 3'000);
    }
  }

  runtime::random_source random_;
  generator_limits limits_;
  scenario::scenario plan_;
};

}  // namespace

scenario::scenario generate_scenario(std::uint64_t seed, const generator_limits& limits) {
  return drawing{seed, limits}.draw(seed);
}

link_quality generate_quality(std::uint64_t seed) {
  runtime::random_source random{seed ^ 0x11'4b'5eedull};
  link_quality quality;
  quality.delay_us_max = 500 + static_cast<std::int64_t>(random.below(20'000));
  quality.long_share = 0.02 * random.unit();
  quality.long_delay_us_max =
    quality.delay_us_max + 1'000 + static_cast<std::int64_t>(random.below(1'000'000));
  quality.in_order = random.below(3) != 0;
  quality.loss = 0.02 * random.unit();
  quality.duplicates = 0.02 * random.unit();
  return quality;
}

}  // namespace dim::simulation
