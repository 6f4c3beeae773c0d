#include "tests/simulation/command_line.hpp"

#include <charconv>
#include <fstream>
#include <sstream>

#include <CLI/CLI.hpp>

#include "tests/simulation/planted_bugs.hpp"

namespace dim::simulation {

namespace {

std::optional<std::uint64_t> read_number(std::string_view text) {
  std::uint64_t number = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return number;
}

runtime::expected<scenario::scenario> read_plan(const std::string& path) {
  std::ifstream file{path};
  if (!file)
    return runtime::fail(runtime::error_code::not_found, "can not read " + path);
  std::ostringstream text;
  text << file.rdbuf();
  return scenario::read_scenario(text.str());
}

std::vector<std::string> bug_names() {
  std::vector<std::string> names;
  for (auto& each : planted_bugs())
    names.push_back(each.name);
  return names;
}

}  // namespace

std::optional<std::pair<std::uint64_t, std::uint64_t>> read_seeds(const std::string& text) {
  auto dots = text.find("..");
  auto first = read_number(text.substr(0, dots));
  auto last = dots == text.npos ? first : read_number(text.substr(dots + 2));
  if (!first || !last || *first > *last)
    return std::nullopt;
  return std::pair{*first, *last};
}

command_line read_command_line(int argc, char** argv, std::ostream& out, std::ostream& problems) {
  command_line result;
  auto& wanted = result.wanted;
  std::string seeds = "1";
  std::uint32_t nodes = 20;
  CLI::App app{"Simulates whole clusters under faults, each from one seed.", "dim-sim"};
  app.add_option("--seeds", seeds, "Seeds to run: FIRST..LAST, or one");
  app.add_option("--nodes", nodes, "Nodes at the most; generated plans have at least half of them")
    ->check(CLI::Range(1, 100));
  app.add_option("--jobs", wanted.limits.jobs, "Jobs of generated plans");
  app.add_option("--duration-ms", wanted.limits.duration_ms, "Virtual time with faults")
    ->check(CLI::Range(1'000, 86'400'000));
  app.add_option("--jobs-in-parallel", wanted.campaign.parallel, "Runs at the same time")
    ->check(CLI::Range(1, 256));
  app.add_option("--plan", wanted.plan_file, "Run this plan instead of generated ones");
  app.add_option("--links", wanted.links, "How links behave; if not given, the seed says")
    ->check(CLI::IsMember({"tcp", "chaos"}));
  app.add_option("--ring", wanted.ring, "What is simulated: one actor system, or several over BASP")
    ->check(CLI::IsMember({"actors", "basp"}));
  app.add_option("--bug", wanted.bug, "Plant this bug, which the promises must find")
    ->check(CLI::IsMember(bug_names()));
  app.add_flag("--trace", wanted.is_traced, "Print the plan and every step");
  app.add_flag("--shrink", wanted.is_shrunk, "Print a smaller plan with the same violation");
  app.add_flag("--json", wanted.is_json, "One JSON object a seed, instead of a table");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& end) {
    auto status = app.exit(end, out, problems);
    result.exit_status = status == 0 ? 0 : 2;
    return result;
  }
  if (!wanted.bug.empty() && wanted.ring != "actors") {
    problems << "--bug: planted bugs need the hooks of --ring actors\n";
    result.exit_status = 2;
    return result;
  }
  if (!wanted.bug.empty())
    wanted.campaign.hooks = find_bug(wanted.bug)->make;
  auto range = read_seeds(seeds);
  if (!range) {
    problems << "--seeds: \"" << seeds << "\" is not FIRST..LAST\n";
    result.exit_status = 2;
    return result;
  }
  std::tie(wanted.first_seed, wanted.last_seed) = *range;
  wanted.limits.nodes_max = nodes;
  wanted.limits.nodes_min = (nodes + 1) / 2;
  if (wanted.plan_file.empty())
    return result;
  auto plan = read_plan(wanted.plan_file);
  if (!plan) {
    problems << wanted.plan_file << ": " << plan.error().message << "\n";
    for (auto& detail : plan.error().details)
      problems << "  " << detail << "\n";
    result.exit_status = 2;
    return result;
  }
  wanted.plan = std::move(*plan);
  return result;
}

planned_run run_of(const wish& wanted, std::uint64_t seed) {
  auto run = run_of_seed(seed, wanted.limits);
  if (wanted.plan) {
    run.plan = *wanted.plan;
    run.plan.seed = seed;
  }
  if (!wanted.links.empty())
    run.quality.in_order = wanted.links == "tcp";
  return run;
}

std::string replay_line(const wish& wanted, std::uint64_t seed) {
  auto line = "dim-sim --seeds " + std::to_string(seed);
  if (wanted.ring != "actors")
    line += " --ring " + wanted.ring;
  if (!wanted.bug.empty())
    line += " --bug " + wanted.bug;
  if (wanted.plan)
    return line + " --plan " + wanted.plan_file
           + (wanted.links.empty() ? "" : " --links " + wanted.links) + " --trace";
  line += " --nodes " + std::to_string(wanted.limits.nodes_max) + " --jobs "
          + std::to_string(wanted.limits.jobs) + " --duration-ms "
          + std::to_string(wanted.limits.duration_ms);
  if (!wanted.links.empty())
    line += " --links " + wanted.links;
  return line + " --trace";
}

}  // namespace dim::simulation
