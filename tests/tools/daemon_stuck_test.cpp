// A whole daemon whose STORE waits for a disk that does not answer.
#include "tools/dimd/daemon.hpp"

#include <fstream>
#include <functional>
#include <thread>

#include <caf/all.hpp>
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/cluster/caller.hpp"
#include "tests/support/gate.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/tools/daemon_options.hpp"

using namespace dim;
using nlohmann::json;

namespace {

/// A model that answers with its input.
constexpr const char* echo_model = R"(kind = "identity"
isolation = "thread"
[[inputs]]
name = "INPUT0"
datatype = "FP32"
dims = [1]
[[outputs]]
name = "OUTPUT0"
datatype = "FP32"
dims = [1]
)";

json echo_job() {
  json input = {{"name", "INPUT0"}, {"datatype", "FP32"}, {"shape", {1}}, {"data", {0.5}}};
  return {{"model", "echo"}, {"inputs", json::array({input})}};
}

/// A daemon of all roles, with a model and a disk that can be held.
struct held_disk_daemon {
  held_disk_daemon() : daemon(prepare(folder / "data"), held_disk()) {
    auto started = daemon.start();
    REQUIRE_MESSAGE(started, (started ? "" : started.error().message));
    std::ifstream file{folder / "data/ports.json"};
    port = json::parse(file).at("gateway").get<std::uint16_t>();
  }
  ~held_disk_daemon() {
    disk->open();
  }

  static config::options prepare(const std::filesystem::path& data) {
    std::filesystem::create_directories(data / "models/echo");
    std::ofstream{data / "models/echo/config.toml"} << echo_model;
    auto options = tests::daemon_options(data);
    options.supervision.stuck_ms = 300;
    options.gateway.request_timeout_ms = 1'000;
    return options;
  }

  runtime::disk_faults held_disk() {
    return {[door = disk](runtime::disk_write) {
              door->pass();
              return runtime::write_fate::proceed;
            },
            {}};
  }

  tests::reply get(const std::string& target, std::uint32_t wait_ms = 0) const {
    return tests::caller{port}.get(target, wait_ms);
  }
  tests::reply submit(const std::string& key) const {
    return tests::caller{port}.post("/api/v1/jobs", echo_job().dump(), key);
  }
  std::string status_of(const std::string& id) const {
    auto job = get("/api/v1/jobs/" + id + "?wait_ms=20000", 20'000);
    return job.body.value("status", job.body.dump());
  }
  bool becomes_ready(bool wanted) const {
    auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while ((get("/health/ready").status == 200) != wanted) {
      if (std::chrono::steady_clock::now() > deadline)
        return false;
      std::this_thread::yield();
    }
    return true;
  }

  tests::temporary_folder folder;
  std::shared_ptr<tests::gate> disk = std::make_shared<tests::gate>();
  tools::daemon daemon;
  std::uint16_t port = 0;
};

}  // namespace

TEST_CASE("a STORE that hangs is named by readiness, and nothing is lost or done twice") {
  held_disk_daemon f;
  REQUIRE(f.becomes_ready(true));
  auto first = f.submit("first");
  REQUIRE(first.status == 202);
  auto first_id = first.body.at("id").get<std::string>();
  CHECK(f.status_of(first_id) == "completed");

  f.disk->close();
  auto second = f.submit("second");
  CHECK(second.status == 504);
  CHECK(second.body.value("code", "") == "timeout");
  CHECK(f.get("/api/v1/jobs/" + first_id).status == 200);
  REQUIRE(f.becomes_ready(false));
  auto ready = f.get("/health/ready");
  CHECK(ready.status == 503);
  CHECK(ready.body.at("reasons").dump().find("stuck: STORE has handled ") != std::string::npos);
  CHECK(f.get("/health/live").status == 200);
  CHECK(f.submit("third").status == 504);

  f.disk->open();
  REQUIRE(f.becomes_ready(true));
  // Whoever was not answered sends the same again, and gets the job that was made meanwhile.
  for (std::string key : {"second", "third"}) {
    auto again = f.submit(key);
    CHECK(again.status == 200);
    CHECK(f.status_of(again.body.at("id").get<std::string>()) == "completed");
  }
  CHECK(f.get("/api/v1/jobs").body.at("jobs").size() == 3);
  CHECK(f.daemon.stop());
}
