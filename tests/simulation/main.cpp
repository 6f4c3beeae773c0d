// dim-sim: clusters under faults, each from one seed.
#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>

#include "tests/simulation/basp_world.hpp"
#include "tests/simulation/command_line.hpp"
#include "tests/simulation/coverage.hpp"
#include "tests/simulation/shrink.hpp"

namespace {

using namespace dim::simulation;

void print_row(const seed_report& report) {
  std::uint64_t strikes = 0;
  for (auto& [name, times] : report.faults)
    strikes += times;
  std::printf("%8llu  %016llx  %5u  %4llu  %6llu  %8llu  %7llu  %9.1f  %6.2f  %s\n",
              static_cast<unsigned long long>(report.seed),
              static_cast<unsigned long long>(report.hash), report.nodes,
              static_cast<unsigned long long>(report.jobs),
              static_cast<unsigned long long>(strikes),
              static_cast<unsigned long long>(report.steps),
              static_cast<unsigned long long>(report.events),
              static_cast<double>(report.virtual_ms) / 1'000.0,
              static_cast<double>(report.cpu_ms) / 1'000.0,
              report.violations.empty() ? "ok" : "BROKEN");
}

void print_head() {
  std::printf("%8s  %-16s  %5s  %4s  %6s  %8s  %7s  %9s  %6s  %s\n", "seed", "trace hash", "nodes",
              "jobs", "faults", "steps", "events", "virtual s", "cpu s", "result");
}

void print_violations(const wish& wanted, const seed_report& report) {
  for (auto& one : report.violations)
    std::printf("          %s: %s\n", one.invariant.c_str(), one.detail.c_str());
  if (!report.violations.empty())
    std::printf("          again: %s\n", replay_line(wanted, report.seed).c_str());
  std::fflush(stdout);
}

void print_totals(const campaign_totals& totals, double seconds) {
  std::printf("\n%llu runs, %llu broken, combined hash %016llx\n",
              static_cast<unsigned long long>(totals.runs),
              static_cast<unsigned long long>(totals.failed),
              static_cast<unsigned long long>(totals.hash));
  std::printf("%llu steps, %.1f virtual hours, %.1f s of processor time, %.1f s in all\n",
              static_cast<unsigned long long>(totals.steps),
              static_cast<double>(totals.virtual_ms) / 3'600'000.0,
              static_cast<double>(totals.cpu_ms) / 1'000.0, seconds);
  auto print_counts = [](const char* title, const auto& counts) {
    std::printf("%s:\n", title);
    for (auto& [name, times] : counts)
      std::printf("  %-40s %llu\n", name.c_str(), static_cast<unsigned long long>(times));
  };
  print_counts("faults that struck", totals.faults);
  print_counts("paths that ran", totals.paths);
  print_counts("promises checked", totals.checked);
}

/// A smaller plan that breaks the same promise, as the text of a plan.
void print_shrunk(const wish& wanted, const planned_run& failing, const std::string& invariant) {
  auto smaller = shrink(failing, [&](const planned_run& run) {
    auto report = run_apart(run, wanted.campaign);
    return !report.violations.empty() && report.violations.front().invariant == invariant;
  });
  std::printf("# a smaller plan that breaks %s; run it with: dim-sim --seeds %llu --links %s "
              "--plan FILE\n%s",
              invariant.c_str(), static_cast<unsigned long long>(smaller.plan.seed),
              smaller.quality.in_order ? "tcp" : "chaos",
              dim::scenario::write_scenario(smaller.plan).c_str());
}

/// The run of a seed in the ring that is wanted.
planned_run plan_of(const wish& wanted, std::uint64_t seed) {
  auto run = run_of(wanted, seed);
  if (wanted.ring == "basp" && !wanted.plan)
    run.plan = basp_scenario(seed);
  return run;
}

outcome run_in_ring(const wish& wanted, const planned_run& run, const run_options& options) {
  return wanted.ring == "basp" ? run_basp_seed(run.plan, options.trace)
                               : run_scenario(run.plan, options);
}

int run_traced(const wish& wanted) {
  auto status = 0;
  for (auto seed = wanted.first_seed; seed <= wanted.last_seed; ++seed) {
    auto run = plan_of(wanted, seed);
    std::cout << dim::scenario::write_scenario(run.plan) << std::endl;
    run_options options;
    options.quality = run.quality;
    options.trace = &std::cout;
    auto hooks = wanted.campaign.hooks ? wanted.campaign.hooks() : nullptr;
    options.hooks = hooks.get();
    auto report = report_of(run.plan, run_in_ring(wanted, run, options), 0);
    std::cout << std::flush;
    print_head();
    print_row(report);
    print_violations(wanted, report);
    status = report.violations.empty() ? status : 1;
  }
  return status;
}

int run_all(const wish& wanted) {
  auto begin = std::chrono::steady_clock::now();
  campaign_totals totals;
  std::optional<std::pair<planned_run, std::string>> first_broken;
  auto seed = wanted.first_seed;
  if (!wanted.is_json)
    print_head();
  run_campaign(
    [&]() -> std::optional<planned_run> {
      if (seed > wanted.last_seed)
        return std::nullopt;
      return plan_of(wanted, seed++);
    },
    wanted.campaign,
    [&](const planned_run& run, const seed_report& report) {
      totals.add(report);
      if (wanted.is_json)
        std::printf("%s\n", to_json(report).c_str());
      else
        print_row(report);
      if (!wanted.is_json)
        print_violations(wanted, report);
      if (!report.violations.empty() && !first_broken)
        first_broken = std::pair{run, report.violations.front().invariant};
      return true;
    });
  std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  if (!wanted.is_json)
    print_totals(totals, seconds.count());
  auto status = totals.failed > 0 ? 1 : 0;
  if (!wanted.plan && wanted.ring == "actors" && totals.runs >= coverage_seeds_min)
    for (auto& path : totals.missed()) {
      std::fprintf(stderr, "never ran: %s (%s)\n", path.name.c_str(), path.meaning.c_str());
      status = 1;
    }
  if (wanted.is_shrunk && first_broken)
    print_shrunk(wanted, first_broken->first, first_broken->second);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  auto line = read_command_line(argc, argv, std::cout, std::cerr);
  if (line.exit_status)
    return *line.exit_status;
  line.wanted.campaign.run = [wanted = line.wanted](const planned_run& run,
                                                    const run_options& options) {
    return run_in_ring(wanted, run, options);
  };
  return line.wanted.is_traced ? run_traced(line.wanted) : run_all(line.wanted);
}
