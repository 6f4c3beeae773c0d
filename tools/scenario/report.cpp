#include "tools/scenario/report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <nlohmann/json.hpp>

namespace dim::scenario {

namespace {

/// Violations of one promise that a text shows; the others are counted.
constexpr std::size_t shown_max = 10;

std::string seconds(std::int64_t ms) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(ms) / 1000.0);
  return text;
}

std::string counts(const std::map<std::string, std::uint64_t>& values) {
  std::string line;
  for (const auto& [name, number] : values)
    line += (line.empty() ? "" : ", ") + name + " " + std::to_string(number);
  return line.empty() ? "none" : line;
}

void add_verdict(std::string& text, const verdict& each) {
  const auto broken = each.violations.size();
  std::string mark = broken > 0 ? "BROKEN" : each.checked > 0 ? "kept  " : "-     ";
  text += "  " + mark + "  " + each.promise;
  text += each.checked > 0 ? " (" + std::to_string(each.checked) + " checked)\n"
                           : " (nothing to check)\n";
  for (std::size_t i = 0; i < std::min(broken, shown_max); ++i)
    text += "            " + each.violations[i].detail + "\n";
  if (broken > shown_max)
    text += "            and " + std::to_string(broken - shown_max) + " more\n";
}

}  // namespace

bool run_report::is_passed() const {
  return problems.empty() && std::all_of(verdicts.begin(), verdicts.end(), [](const auto& each) {
           return each.violations.empty();
         });
}

run_report report_of(const scenario& plan, const history& seen) {
  run_report result;
  result.plan = plan.name;
  result.description = plan.description;
  result.seed = plan.seed;
  result.faults = seen.faults;
  result.paths = seen.paths;
  result.acknowledged = seen.submissions.size();
  for (const auto& job : seen.jobs)
    ++result.jobs[job.state];
  result.verdicts = check(seen);
  return result;
}

std::int64_t percentile(std::vector<std::int64_t> values, double share) {
  if (values.empty())
    return 0;
  std::sort(values.begin(), values.end());
  const auto rank = std::ceil(share * static_cast<double>(values.size()));
  const auto index = static_cast<std::size_t>(std::max(rank, 1.0)) - 1;
  return values[std::min(index, values.size() - 1)];
}

std::string text_of(const run_report& report) {
  std::string text =
    report.plan + ", seed " + std::to_string(report.seed) + ", " + seconds(report.took_ms) + "\n";
  if (!report.description.empty())
    text += report.description + "\n";
  text += "\nfaults      " + counts(report.faults) + "\n";
  text += "jobs        acknowledged " + std::to_string(report.acknowledged) + "; "
          + counts(report.jobs) + "\n";
  if (!report.paths.empty())
    text += "paths       " + counts(report.paths) + "\n";
  for (const auto& [what, times] : report.recovery_ms)
    text += "recovery    " + what + ": " + std::to_string(times.size()) + " times, p50 "
            + std::to_string(percentile(times, 0.5)) + " ms, p99 "
            + std::to_string(percentile(times, 0.99)) + " ms\n";
  text += "\n";
  for (const auto& each : report.verdicts)
    add_verdict(text, each);
  for (const auto& each : report.problems)
    text += "  PROBLEM " + each + "\n";
  return text + (report.is_passed() ? "\npassed\n" : "\nfailed\n");
}

std::string json_of(const run_report& report) {
  nlohmann::ordered_json recovery = nlohmann::ordered_json::object();
  for (const auto& [what, times] : report.recovery_ms)
    recovery[what] = {{"count", times.size()},
                      {"p50_ms", percentile(times, 0.5)},
                      {"p99_ms", percentile(times, 0.99)},
                      {"max_ms", percentile(times, 1.0)}};
  nlohmann::ordered_json invariants = nlohmann::ordered_json::array();
  for (const auto& each : report.verdicts) {
    nlohmann::ordered_json details = nlohmann::ordered_json::array();
    for (const auto& found : each.violations)
      details.push_back(found.detail);
    invariants.push_back({{"name", each.invariant},
                          {"promise", each.promise},
                          {"checked", each.checked},
                          {"violations", details}});
  }
  const nlohmann::ordered_json all{
    {"plan", report.plan},       {"description", report.description},
    {"seed", report.seed},       {"passed", report.is_passed()},
    {"took_ms", report.took_ms}, {"faults", report.faults},
    {"paths", report.paths},     {"acknowledged", report.acknowledged},
    {"jobs", report.jobs},       {"recovery", recovery},
    {"invariants", invariants},  {"problems", report.problems}};
  constexpr auto replace = nlohmann::ordered_json::error_handler_t::replace;
  return all.dump(2, ' ', false, replace) + "\n";
}

}  // namespace dim::scenario
