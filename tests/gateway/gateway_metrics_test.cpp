#include "gateway/handlers/metrics.hpp"

#include <doctest/doctest.h>

#include "tests/gateway/gateway_fixture.hpp"

namespace {

using namespace dim;
using namespace dim::tests;
using fixture = gateway_fixture;

/// An answer is counted when its last byte is on its way, which the client may see before: so it is
/// asked for again and again until the page is as it must become. Returns the last page.
template <class Condition>
std::string page_when(fixture& f, Condition is_so) {
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  std::string page;
  do
    page = f.ask("GET", "/metrics").body;
  while (!is_so(page) && std::chrono::steady_clock::now() < deadline);
  return page;
}

/// The value behind `series`; 0 when it is not on the page.
double value_of(const std::string& page, const std::string& series) {
  auto at = ("\n" + page).find("\n" + series + " ");
  return at == std::string::npos ? 0 : std::stod(page.substr(at + series.size() + 1));
}

TEST_CASE("the metrics are text for Prometheus, with what the actors know of the cluster") {
  fixture f;
  f.script->status.nodes_online = 3;
  auto reply = f.ask("GET", "/metrics");
  CAPTURE(reply.body);
  CHECK(reply.status == 200);
  CHECK(reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(value_of(reply.body, "nodes_total{status=\"online\"}") == 3);
  CHECK(value_of(reply.body, "dim_metrics_source_up{source=\"cluster\"}") == 1);
  CHECK(value_of(reply.body, "dim_metrics_source_up{source=\"nodes\"}") == 1);
  CHECK(reply.body.find("nv_cpu_memory_total_bytes ") != std::string::npos);
}

TEST_CASE("a part that nobody answers for is missing, and the page says so") {
  fixture f;
  auto page = f.ask("GET", "/metrics").body;
  CAPTURE(page);
  CHECK(page.find("dim_metrics_source_up{source=\"orchestrator\"} 0\n") != std::string::npos);
}

TEST_CASE("every answered request is counted by its route and its status, with its time") {
  fixture f;
  const std::string missing =
    "http_requests_total{method=\"GET\",route=\"/api/v1/jobs/{id}\",status=\"404\"}";
  const std::string unrouted = "http_requests_total{method=\"any\",route=\"none\",status=\"404\"}";
  const std::string timed =
    "http_request_duration_seconds_count{method=\"GET\",route=\"/api/v1/jobs/{id}\"}";
  auto before = f.ask("GET", "/metrics").body;
  f.get("/api/v1/jobs/one", 404);
  f.get("/api/v1/jobs/two", 404);
  f.get("/no/such/path", 404);
  auto after = page_when(f, [&](const std::string& page) {
    return value_of(page, unrouted) > value_of(before, unrouted)
           && value_of(page, missing) >= value_of(before, missing) + 2;
  });
  CAPTURE(after);
  CHECK(value_of(after, missing) - value_of(before, missing) == 2);
  CHECK(value_of(after, timed) - value_of(before, timed) == 2);
  CHECK(value_of(after, unrouted) - value_of(before, unrouted) == 1);
}

TEST_CASE("open connections and the bytes of both directions are counted") {
  fixture f;
  raw_client idle{f.port};
  CHECK(idle.ask(request_text("GET", "/health/live")).status == 200);
  auto before = f.ask("GET", "/metrics").body;
  const std::string body(50'000, ' ');
  raw_client busy{f.port};
  CHECK(busy.ask(request_text("POST", "/api/v1/jobs", body)).status == 400);
  auto grown = [&](const std::string& page, const std::string& name) {
    return value_of(page, name) - value_of(before, name);
  };
  const std::string received = "dim_gateway_received_bytes_total";
  const std::string sent = "dim_gateway_sent_bytes_total";
  auto after = page_when(f, [&](const std::string& page) {
    return grown(page, sent) > static_cast<double>(before.size());
  });
  CAPTURE(after);
  CHECK(value_of(after, "dim_gateway_connections") >= 3);
  CHECK(grown(after, received) > 50'000);
  CHECK(grown(after, sent) > static_cast<double>(before.size()));
}

}  // namespace
