#include <cstdio>

#include "tools/scenario/report.hpp"

namespace dim::scenario {

namespace {

/// Text for an attribute or element. Control characters have no place in XML 1.0.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char each : text) {
    switch (each) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\n':
        result += "&#10;";
        break;
      default:
        result += static_cast<unsigned char>(each) < 0x20 ? '?' : each;
    }
  }
  return result;
}

std::string attribute(const char* name, const std::string& value) {
  return " " + std::string{name} + "=\"" + escaped(value) + "\"";
}

std::string test_case(const std::string& plan, const std::string& name, const std::string& body) {
  const auto open = "    <testcase" + attribute("classname", plan) + attribute("name", name);
  return body.empty() ? open + "/>\n" : open + ">\n" + body + "    </testcase>\n";
}

std::string failure(const std::string& message, const std::string& lines) {
  return "      <failure" + attribute("message", message) + ">" + escaped(lines) + "</failure>\n";
}

std::string body_of(const verdict& each) {
  if (each.violations.empty())
    return each.checked > 0 ? "" : "      <skipped message=\"nothing to check\"/>\n";
  std::string lines;
  for (const auto& found : each.violations)
    lines += (lines.empty() ? "" : "\n") + found.detail;
  return failure(std::to_string(each.violations.size()) + " violations: " + each.promise, lines);
}

}  // namespace

std::string junit_of(const run_report& report) {
  std::size_t failures = 0, skipped = 0;
  std::string cases;
  for (const auto& each : report.verdicts) {
    failures += each.violations.empty() ? 0 : 1;
    skipped += each.violations.empty() && each.checked == 0 ? 1 : 0;
    cases += test_case(report.plan, each.invariant, body_of(each));
  }
  std::string lines;
  for (const auto& each : report.problems)
    lines += (lines.empty() ? "" : "\n") + each;
  failures += lines.empty() ? 0 : 1;
  cases += test_case(report.plan, "the_run_followed_its_plan",
                     lines.empty() ? "" : failure("the run did not follow its plan", lines));
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.3f", static_cast<double>(report.took_ms) / 1000.0);
  const auto totals = attribute("tests", std::to_string(report.verdicts.size() + 1))
                      + attribute("failures", std::to_string(failures)) + attribute("errors", "0")
                      + attribute("skipped", std::to_string(skipped)) + attribute("time", seconds);
  const auto seed =
    "      <property name=\"seed\"" + attribute("value", std::to_string(report.seed)) + "/>\n";
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites" + totals + ">\n  <testsuite"
         + attribute("name", report.plan) + totals + ">\n    <properties>\n" + seed
         + "    </properties>\n" + cases + "  </testsuite>\n</testsuites>\n";
}

}  // namespace dim::scenario
