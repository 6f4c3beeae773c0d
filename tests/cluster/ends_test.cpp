// How a daemon ends: with its work done, or, where a model hangs, without it.
#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <string>
#include <thread>

#include "tests/cluster/local_cluster.hpp"
#include "tools/dim/http_client.hpp"

using namespace dim;
using nlohmann::json;
using tests::caller;
using tests::local_cluster;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 60s;

/// Puts a model into service that takes so long for a forward.
void load_slow_model(const local_cluster& cluster, std::chrono::milliseconds forward) {
  const auto place = cluster.folder() / "orchestrator" / "models" / "slow";
  std::filesystem::create_directories(place / "1");
  std::ofstream(place / "config.toml") << "kind = \"delay\"\n"
                                          "[[inputs]]\nname = \"x\"\ndatatype = \"FP32\"\n"
                                          "dims = [1]\n"
                                          "[[outputs]]\nname = \"y\"\ndatatype = \"FP32\"\n"
                                          "dims = [1]\n"
                                          "[parameters]\ndelay_ms = \""
                                       << forward.count() << "\"\n";
  const auto loaded = cluster.post("/v2/repository/models/slow/load", json::object());
  REQUIRE_MESSAGE(loaded.status == 200, loaded.body.dump());
}

/// A client that waits for an answer of the slow model while this lives.
class waiting_client {
public:
  explicit waiting_client(std::uint16_t port)
    : thread_{[this, port] {
        const json body{
          {"inputs",
           {{{"name", "x"}, {"datatype", "FP32"}, {"shape", {1}}, {"data", {1.5}}}}}};
        answer_ = caller{port}.post("/v2/models/slow/infer", body.dump());
      }} {
  }
  ~waiting_client() {
    thread_.join();
  }

  tests::reply answer() {
    thread_.join();
    thread_ = std::thread{[] {}};
    return answer_;
  }

private:
  tests::reply answer_;
  std::thread thread_;
};

/// Until a node has the client's request.
void await_request(const local_cluster& cluster) {
  tools::http_client client{{"127.0.0.1", std::to_string(cluster.port()), {}}};
  tools::http_request page;
  page.target = "/metrics";
  const std::string line = "nv_inference_pending_request_count{model=\"slow\",version=\"1\"} 1";
  cluster.wait_until("the request is under way", [&] {
    const auto answer = client.send(page);
    return answer && answer->body.find(line) != std::string::npos;
  });
}

}  // namespace

TEST_CASE("a node that is told to end answers the direct inferences that it has") {
  local_cluster cluster{1};
  load_slow_model(cluster, 1'500ms);
  waiting_client client{cluster.port()};
  await_request(cluster);
  cluster.node(0).signal(SIGTERM);
  const auto answer = client.answer();
  CHECK_MESSAGE(answer.status == 200, answer.body.dump());
  CHECK(cluster.node(0).wait(patience) == 0);
}

TEST_CASE("a daemon in which a model hangs ends at the second signal, if not before") {
  local_cluster cluster{1, {"--agent.isolation=thread"}};
  load_slow_model(cluster, 3'600s);
  waiting_client client{cluster.port()};
  await_request(cluster);
  auto& node = cluster.node(0);
  node.signal(SIGTERM);
  cluster.wait_until("the node has heard it", [&] {
    return cluster.count_in_log("node-1", "got a signal and stops") == 1;
  });
  // One that follows at once is the same wish, told twice.
  cluster.wait_until("the node has heard another", [&] {
    node.signal(SIGINT);
    return !node.is_running();
  });
  CHECK(node.wait(patience) == 1);
  CHECK(cluster.count_in_log("node-1", "ends before all has stopped") == 1);
}
