#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <time.h>

#include "tests/simulation/generator.hpp"
#include "tests/simulation/run.hpp"

int main(int argc, char** argv) {
  using namespace dim;
  simulation::generator_limits limits;
  std::uint64_t seed = 1, last = 1;
  bool is_calm = false;
  simulation::run_options options;
  for (int index = 1; index < argc; ++index) {
    std::string word = argv[index];
    if (word == "--trace") options.trace = &std::cout;
    else if (word == "--calm") is_calm = true;
    else if (word.starts_with("--nodes=")) limits.nodes_min = limits.nodes_max = std::stoul(word.substr(8));
    else if (word.starts_with("--jobs=")) limits.jobs = std::stoul(word.substr(7));
    else if (word.starts_with("--seeds=")) { auto t = word.substr(8); seed = std::stoull(t); auto d = t.find(".."); last = d == t.npos ? seed : std::stoull(t.substr(d + 2)); }
  }
  for (; seed <= last; ++seed) {
    auto plan = simulation::generate_scenario(seed, limits);
    options.quality = simulation::generate_quality(seed);
    if (is_calm) { plan.faults.clear(); plan.load.patterns = {"single"}; options.quality = {}; }
    if (options.trace != nullptr) std::cout << scenario::write_scenario(plan) << std::endl;
    auto begin = std::clock();
    auto result = simulation::run_scenario(plan, options);
    std::printf("seed %llu hash %016llx steps %llu packets %llu virtual %lld ms cpu %.2f s violations %zu\n", (unsigned long long)seed,
      (unsigned long long)result.hash, (unsigned long long)result.steps, (unsigned long long)result.packets, (long long)result.virtual_ms,
      double(std::clock() - begin) / CLOCKS_PER_SEC, result.violations.size());
    for (auto& one : result.violations) std::printf("  %s: %s\n", one.invariant.c_str(), one.detail.c_str());
    if (seed == last) { for (auto& [name, count] : result.seen.paths) std::printf("  path %s %llu\n", name.c_str(), (unsigned long long)count);
      for (auto& [name, count] : result.seen.faults) std::printf("  fault %s %llu\n", name.c_str(), (unsigned long long)count); }
    std::fflush(stdout);
  }
}
