#include "tools/scenario/report.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/tools/scenario/sample_history.hpp"

using namespace dim::scenario;

namespace {

run_report sample_report(bool is_broken) {
  auto seen = sample_history();
  seen.faults = {{"kill", 3}};
  seen.gauges.clear();
  if (is_broken)
    seen.nodes.front().state = "offline";
  scenario plan;
  plan.name = "kill <nodes> & \"friends\"";
  plan.seed = 9;
  auto report = report_of(plan, seen);
  report.took_ms = 61'250;
  report.recovery_ms["node"] = {30, 10, 20, 40};
  return report;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a report counts faults, jobs and recoveries, and passes when no promise is broken") {
  const auto report = sample_report(false);
  CHECK(report.is_passed());
  CHECK(report.jobs == std::map<std::string, std::uint64_t>{{"cancelled", 1}, {"completed", 2}});
  const auto text = text_of(report);
  CHECK(has(text, "seed 9, 61.2 s"));
  CHECK(has(text, "faults      kill 3\n"));
  CHECK(has(text, "acknowledged 4; cancelled 1, completed 2"));
  CHECK(has(text, "node: 4 times, p50 20 ms, p99 40 ms"));
  CHECK(has(text, "Queues and resources stay within their limits. (nothing to check)"));
  CHECK(has(text, "\npassed\n"));
}

TEST_CASE("a broken promise, or a problem with the run, fails a report and is shown") {
  auto report = sample_report(true);
  CHECK_FALSE(report.is_passed());
  CHECK(has(text_of(report), "BROKEN  Every node that is meant to run"));
  CHECK(has(text_of(report), "node node-1 is offline"));
  report = sample_report(false);
  report.problems = {"the gateway went away"};
  CHECK_FALSE(report.is_passed());
  CHECK(has(text_of(report), "PROBLEM the gateway went away"));
}

TEST_CASE("a report as JSON holds the verdicts") {
  const auto json = nlohmann::json::parse(json_of(sample_report(true)));
  CHECK(json["passed"] == false);
  CHECK(json["plan"] == "kill <nodes> & \"friends\"");
  CHECK(json["recovery"]["node"]["p50_ms"] == 20);
  CHECK(json["invariants"].size() == 14);
  CHECK(json["invariants"].back()["violations"][0] == "node node-1 is offline");
}

TEST_CASE("a report as JUnit XML has a case for each promise, skipped without anything to check") {
  const auto xml = junit_of(sample_report(true));
  CHECK(has(xml, "<testsuites tests=\"15\" failures=\"1\" errors=\"0\" skipped=\"1\""));
  CHECK(has(xml, "time=\"61.250\""));
  CHECK(has(xml, "classname=\"kill &lt;nodes&gt; &amp; &quot;friends&quot;\""));
  CHECK(has(xml, ">node node-1 is offline</failure>"));
  CHECK(has(xml, "name=\"limits_are_kept\">\n      <skipped message=\"nothing to check\"/>"));
  auto report = sample_report(false);
  report.problems = {"first", "second"};
  CHECK(has(junit_of(report), ">first&#10;second</failure>"));
}

TEST_CASE("a percentile is the nearest rank") {
  CHECK(percentile({}, 0.5) == 0);
  CHECK(percentile({7}, 0.99) == 7);
  CHECK(percentile({4, 1, 3, 2}, 0.5) == 2);
  CHECK(percentile({4, 1, 3, 2}, 1.0) == 4);
}
