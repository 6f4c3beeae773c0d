// Many clients at once.
#include <doctest/doctest.h>

#include <sys/resource.h>

#include "tests/cluster/local_cluster.hpp"
#include "tools/bench/steady_load.hpp"

using namespace dim;
using nlohmann::json;
using tests::local_cluster;

TEST_CASE("10,000 open connections are held, and all of them are answered") {
  constexpr std::uint32_t connections = 10'000;
  rlimit files{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &files) == 0);
  files.rlim_cur = files.rlim_max;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &files) == 0);
  REQUIRE(files.rlim_max > connections + 500);
  local_cluster cluster{1, {"--gateway.connections_max=10500", "--node.queue_max=20000",
                            "--agent.queue_max=20000"}};
  cluster.push_samples({"digits-mlp"});
  json body{{"inputs", json::array({tests::digit_input(tests::sample_digits().front().pixels)})}};
  cluster.wait_until("the model answers", [&] {
    return cluster.post("/v2/models/digits-mlp/infer", body).status == 200;
  });
  tools::load_options options;
  options.port = cluster.port();
  options.connections = connections;
  options.duration = std::chrono::seconds{10};
  auto load = tools::run_steady_load(
    options, tools::make_request("POST", "/v2/models/digits-mlp/infer", body.dump()));
  CHECK(load.errors == 0);
  CHECK(load.answered >= connections);
}
