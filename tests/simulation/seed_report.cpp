#include "tests/simulation/seed_report.hpp"

#include <nlohmann/json.hpp>

namespace dim::simulation {

using nlohmann::json;

seed_report report_of(const scenario::scenario& plan, const outcome& result, std::int64_t cpu_ms) {
  seed_report report;
  report.seed = plan.seed;
  report.hash = result.hash;
  report.nodes = plan.nodes;
  report.jobs = plan.load.jobs;
  report.steps = result.steps;
  report.packets = result.packets;
  report.events = result.seen.events.size();
  report.virtual_ms = result.virtual_ms;
  report.cpu_ms = cpu_ms;
  report.violations = result.violations;
  report.paths = result.seen.paths;
  report.faults = result.seen.faults;
  for (auto& verdict : result.verdicts)
    report.checked[verdict.invariant] = verdict.checked;
  return report;
}

std::string to_json(const seed_report& report) {
  json violations = json::array();
  for (auto& one : report.violations)
    violations.push_back({{"invariant", one.invariant}, {"detail", one.detail}});
  json text{{"seed", report.seed},       {"hash", report.hash},
            {"nodes", report.nodes},     {"jobs", report.jobs},
            {"steps", report.steps},     {"packets", report.packets},
            {"events", report.events},   {"virtual_ms", report.virtual_ms},
            {"cpu_ms", report.cpu_ms},   {"violations", violations},
            {"paths", report.paths},     {"faults", report.faults},
            {"checked", report.checked}};
  return text.dump(-1, ' ', false, json::error_handler_t::replace);
}

seed_report report_from_json(const std::string& text) {
  seed_report report;
  auto parsed = json::parse(text, nullptr, false);
  if (!parsed.is_object()) {
    report.violations.push_back({"the_run_ends", "the process of the run ended without a report"});
    return report;
  }
  report.seed = parsed.at("seed");
  report.hash = parsed.at("hash");
  report.nodes = parsed.at("nodes");
  report.jobs = parsed.at("jobs");
  report.steps = parsed.at("steps");
  report.packets = parsed.at("packets");
  report.events = parsed.at("events");
  report.virtual_ms = parsed.at("virtual_ms");
  report.cpu_ms = parsed.at("cpu_ms");
  for (auto& one : parsed.at("violations"))
    report.violations.push_back({one.at("invariant"), one.at("detail")});
  parsed.at("paths").get_to(report.paths);
  parsed.at("faults").get_to(report.faults);
  parsed.at("checked").get_to(report.checked);
  return report;
}

}  // namespace dim::simulation
