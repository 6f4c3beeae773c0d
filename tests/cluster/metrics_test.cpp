// What a running cluster shows to Prometheus, and what the dashboards make of it.
#include <doctest/doctest.h>

#include <cctype>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/cluster/local_cluster.hpp"
#include "tools/dim/http_client.hpp"

using namespace dim;
using nlohmann::json;
using tests::local_cluster;

namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  std::stringstream text;
  text << std::ifstream{file}.rdbuf();
  return text.str();
}

std::string page_of(const local_cluster& cluster) {
  tools::http_client client{{"127.0.0.1", std::to_string(cluster.port()), {}}};
  tools::http_request request;
  request.target = "/metrics";
  auto answer = client.send(request);
  return answer && answer->status == 200 ? answer->body : std::string{};
}

/// A cluster that has run a job and a direct inference, with a gateway of its own.
struct used_cluster : local_cluster {
  used_cluster() : local_cluster(tests::cluster_shape{1, true, {}, nullptr}) {
    push_samples({"digits-mlp"});
    auto input = tests::digit_input(tests::sample_digits().front().pixels);
    auto id = submit({{"pattern", "single"},
                      {"model", "digits-mlp"},
                      {"inputs", json::array({input})}});
    CHECK(finish_state(id) == "completed");
    post("/v2/repository/models/digits-mlp/load", json::object());
    wait_until("a direct inference is answered", [&] {
      return post("/v2/models/digits-mlp/infer", {{"inputs", json::array({input})}}).status == 200;
    });
    wait_until("a heartbeat has told what the device holds", [&] {
      return page_of(*this).find("\ndim_device_memory_used_bytes{") != std::string::npos;
    });
  }
};

/// The names of all families that a query reads.
std::set<std::string> families_in(const std::string& query) {
  std::set<std::string> result;
  std::string word;
  for (auto letter : query + " ") {
    if (std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_') {
      word += letter;
      continue;
    }
    for (auto* start : {"dim_", "nv_", "http_", "jobs_", "job_", "nodes_", "process_",
                        "verification_"})
      if (word.starts_with(start))
        result.insert(word);
    word.clear();
  }
  return result;
}

/// Answer of Prometheus to a query: its first value, or nothing.
std::string value_of(std::uint16_t port, const std::string& query) {
  tests::caller prometheus{port, 5'000};
  auto answer = prometheus.get("/api/v1/query?query=" + tools::percent_encoded(query));
  if (answer.status != 200)
    return {};
  auto& found = answer.body["data"]["result"];
  return found.empty() ? std::string{} : found[0]["value"][1].get<std::string>();
}

}  // namespace

TEST_CASE("the dashboards are whole, and each family that they read is shown by a cluster") {
  used_cluster cluster;
  const auto page = "\n" + page_of(cluster);
  std::size_t boards = 0;
  for (auto& file : fs::directory_iterator{DIM_SOURCE_DIR "/config/grafana"}) {
    CAPTURE(file.path().string());
    auto board = json::parse(text_of(file.path()), nullptr, false);
    REQUIRE(board.is_object());
    CHECK(!board.value("title", "").empty());
    CHECK(board["panels"].size() >= 8);
    std::set<int> ids;
    for (auto& panel : board["panels"]) {
      CHECK(ids.insert(panel["id"].get<int>()).second);
      REQUIRE(!panel["targets"].empty());
      for (auto& target : panel["targets"]) {
        auto query = target["expr"].get<std::string>();
        CAPTURE(query);
        auto families = families_in(query);
        CHECK(!families.empty());
        for (auto& family : families) {
          CAPTURE(family);
          auto is_shown = page.find("\n" + family + "{") != std::string::npos
                          || page.find("\n" + family + " ") != std::string::npos;
          CHECK(is_shown);
        }
      }
    }
    ++boards;
  }
  CHECK(boards == 4);
}

TEST_CASE("one page shows the gateway's process and the orchestrator's, with what each counts") {
  used_cluster cluster;
  const auto page = "\n" + page_of(cluster);
  CAPTURE(page);
  auto shows = [&](const std::string& text) { return page.find("\n" + text) != page.npos; };
  CHECK(shows("process_resident_memory_bytes{process=\"gateway\"} "));
  CHECK(shows("process_resident_memory_bytes{process=\"orchestrator\"} "));
  CHECK(shows("dim_actors{process=\"orchestrator\",actor=\"STORE\"} 1"));
  CHECK(shows("dim_executions_total{status=\"completed\"} 1"));
  CHECK(shows("jobs_total{status=\"completed\"} 1"));
  CHECK(shows("nodes_total{status=\"online\"} 1"));
  CHECK(shows("job_execution_duration_seconds_count{status=\"completed\"} 1"));
  CHECK(shows("nv_inference_request_success{model=\"digits-mlp\",version=\"1\"} "));
  CHECK(shows("dim_metrics_source_up{source=\"orchestrator\"} 1"));
  CHECK(shows("dim_metrics_source_up{source=\"models\"} 1"));
}

TEST_CASE("Prometheus takes what a cluster shows, with the sample configuration") {
  if (std::system("prometheus --version > /dev/null 2>&1") != 0) {
    MESSAGE("skipped: there is no prometheus");
    CHECK(true);
    return;
  }
  used_cluster cluster;
  auto configuration = text_of(DIM_SOURCE_DIR "/config/prometheus.yml");
  auto replace = [&](const std::string& from, const std::string& to) {
    auto at = configuration.find(from);
    REQUIRE(at != std::string::npos);
    configuration.replace(at, from.size(), to);
  };
  replace("127.0.0.1:8080", "127.0.0.1:" + std::to_string(cluster.port()));
  replace("15s", "1s");
  auto file = cluster.folder() / "prometheus.yml";
  std::ofstream{file} << configuration;
  auto port = tests::unused_port();
  tests::process prometheus{"/usr/bin/prometheus",
                            {"--config.file=" + file.string(),
                             "--storage.tsdb.path=" + (cluster.folder() / "prometheus").string(),
                             "--web.listen-address=127.0.0.1:" + std::to_string(port)},
                            cluster.folder() / "prometheus.log"};
  cluster.wait_until("Prometheus has scraped the gateway",
                     [&] { return value_of(port, "up{job=\"dim\"}") == "1"; });
  CHECK(value_of(port, "jobs_total{status=\"completed\"}") == "1");
  CHECK(value_of(port, "sum(nodes_total)") == "1");
  CHECK(!value_of(port, "sum by (model) (nv_inference_request_success)").empty());
  const std::string slow =
    "histogram_quantile(0.99, sum by (le) (http_request_duration_seconds_bucket))";
  CHECK(!value_of(port, slow).empty());
}
