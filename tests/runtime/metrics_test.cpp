#include "runtime/metrics.hpp"

#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

using namespace dim;
using runtime::metric;

namespace {

bool holds(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

}  // namespace

TEST_CASE("what is counted stands in the text under its name, its help and its labels") {
  runtime::counter_of(metric::events, {"a topic"}).add(3);
  runtime::gauge_of(metric::gateway_connections).set(7);
  auto text = runtime::metrics_text();
  CAPTURE(text);
  CHECK(holds(text, "# TYPE dim_events_total counter"));
  CHECK(holds(text, "dim_events_total{topic=\"a topic\"} 3"));
  CHECK(holds(text, "dim_gateway_connections 7"));
}

TEST_CASE("durations are counted below the bound that they reach, and beyond the last") {
  runtime::duration_histogram counted;
  for (auto took : {0, 100, 101, 300'000'000, 300'000'001})
    counted.add(static_cast<std::uint64_t>(took));
  REQUIRE(counted.counts.size() == runtime::duration_bounds_us.size() + 1);
  CHECK(counted.counts[0] == 2);
  CHECK(counted.counts[1] == 1);
  CHECK(counted.counts[runtime::duration_bounds_us.size() - 1] == 1);
  CHECK(counted.counts.back() == 1);
  CHECK(counted.sum_us == 600'000'202);
}

TEST_CASE("a histogram that was counted elsewhere is shown in its unit, whatever its length") {
  runtime::duration_histogram counted;
  counted.add(900);
  runtime::metric_page page;
  const auto family = metric::inference_first_response;
  page.add(family, {"full", "1"}, counted, 1'000);
  page.add(family, {"none", "1"}, {}, 1'000);
  page.add(family, {"long", "1"}, {std::vector<std::uint64_t>(100, 1), 5'000}, 1'000);
  CHECK_THROWS_AS(page.add(metric::events, {"x"}, counted, 1'000), std::invalid_argument);
  auto text = page.text();
  CAPTURE(text);
  const std::string name = "nv_inference_first_response_histogram_ms";
  auto line = [&](const std::string& part, const std::string& model, const std::string& bound) {
    return name + part + "{model=\"" + model + "\",version=\"1\"" + bound + "} ";
  };
  CHECK(holds(text, line("_bucket", "full", ",le=\"0.5\"") + "0"));
  CHECK(holds(text, line("_bucket", "full", ",le=\"1\"") + "1"));
  CHECK(holds(text, line("_sum", "full", "") + "0.9"));
  CHECK(holds(text, line("_count", "none", "") + "0"));
  CHECK(holds(text, line("_bucket", "none", ",le=\"+Inf\"") + "0"));
  CHECK(holds(text, line("_count", "long", "") + "20"));
}

TEST_CASE("a histogram counts each value in all buckets that reach so far") {
  auto durations = runtime::histogram_of(metric::store_transaction_duration);
  durations.observe(0.0009);
  durations.observe(20);
  auto text = runtime::metrics_text();
  const std::string name = "dim_store_transaction_duration_seconds";
  CHECK(holds(text, name + "_bucket{le=\"0.0005\"} 0"));
  CHECK(holds(text, name + "_bucket{le=\"0.001\"} 1"));
  CHECK(holds(text, name + "_bucket{le=\"10\"} 1"));
  CHECK(holds(text, name + "_bucket{le=\"+Inf\"} 2"));
  CHECK(holds(text, name + "_count 2"));
}

TEST_CASE("handles with the same labels count together, from any thread") {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([] {
      auto mine = runtime::counter_of(metric::store_commits, {"written"});
      for (int times = 0; times < 10'000; ++times)
        mine.add();
    });
  for (auto& thread : threads)
    thread.join();
  CHECK(runtime::counter_of(metric::store_commits, {"written"}).value() == 40'000);
}

TEST_CASE("a family of another kind, or other labels, is a mistake of the program") {
  CHECK_THROWS_AS(runtime::gauge_of(metric::events, {"x"}), std::invalid_argument);
  CHECK_THROWS_AS(runtime::counter_of(metric::events), std::invalid_argument);
  runtime::metric_page page;
  CHECK_THROWS_AS(page.add(metric::jobs, {"a", "b"}, 1), std::invalid_argument);
}

TEST_CASE("a page shows only the families that have a value, and escapes labels") {
  runtime::metric_page page;
  CHECK(page.text().empty());
  page.add(metric::jobs, {"a \"quoted\"\nname\\"}, 2.5);
  CHECK(count_of(page.text(), "# TYPE ") == 1);
  CHECK(holds(page.text(), "jobs_total{status=\"a \\\"quoted\\\"\\nname\\\\\"} 2.5"));
}

TEST_CASE("a source is asked with each text until its handle ends") {
  auto calls = 0;
  {
    auto shown = runtime::add_metric_source([&](runtime::metric_page& page) {
      ++calls;
      page.add(metric::last_event, {}, 11);
    });
    CHECK(holds(runtime::metrics_text(), "dim_last_event 11"));
  }
  CHECK(runtime::metrics_text().find("dim_last_event") == std::string::npos);
  CHECK(calls == 1);
}

TEST_CASE("for another gateway's page the requests of this one are left out") {
  runtime::counter_of(metric::http_requests, {"GET", "/x", "200"}).add();
  auto text = runtime::metrics_text(runtime::metric_part::without_gateway);
  CHECK(text.find("http_requests_total") == std::string::npos);
  CHECK(text.find("dim_gateway_connections") == std::string::npos);
  CHECK(runtime::metrics_text().find("http_requests_total") != std::string::npos);
}

TEST_CASE("texts of several processes become one, with each family once") {
  runtime::metric_page one;
  one.add(metric::process_memory, {"gateway"}, 1);
  one.add(metric::jobs, {"failed"}, 4);
  runtime::metric_page other;
  other.add(metric::process_memory, {"orchestrator"}, 2);
  auto text = runtime::merge_metric_texts({one.text(), other.text(), ""});
  CHECK(count_of(text, "# HELP process_resident_memory_bytes") == 1);
  CHECK(count_of(text, "# TYPE process_resident_memory_bytes") == 1);
  CHECK(holds(text, "process_resident_memory_bytes{process=\"gateway\"} 1"));
  CHECK(holds(text, "process_resident_memory_bytes{process=\"orchestrator\"} 2"));
  CHECK(text.find("jobs_total") < text.find("process_resident"));
}

TEST_CASE("a family that the table does not hold is kept by a merge") {
  auto text = runtime::merge_metric_texts({"# HELP x y\n# TYPE x gauge\nx 1\n", "x 2\n"});
  CHECK(text == "# HELP x y\n# TYPE x gauge\nx 1\n");
}

TEST_CASE("each family has a name of its own, a help, and a line in the README") {
  std::ifstream file{DIM_SOURCE_DIR "/runtime/README.md"};
  std::stringstream readme;
  readme << file.rdbuf();
  std::set<std::string_view> names;
  for (auto& row : runtime::metric_rows()) {
    CAPTURE(row.name);
    CHECK(names.insert(row.name).second);
    CHECK(!row.help.empty());
    auto line = "| `" + std::string{row.name} + "` | " + std::string{to_string(row.kind)} + " | "
                + (row.labels.empty() ? "" : "`" + std::string{row.labels} + "` ") + "| "
                + std::string{row.help} + " |";
    CAPTURE(line);
    CHECK(readme.str().find(line) != std::string::npos);
  }
}
