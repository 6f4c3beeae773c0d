#include <cstdlib>
#include <fstream>
#include <sstream>

#include <doctest/doctest.h>

#include "config/load.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace dim::config;

namespace {

load_result load_with(std::vector<const char*> arguments, const environment& variables = {}) {
  arguments.insert(arguments.begin(), "dimd");
  return load(static_cast<int>(arguments.size()), arguments.data(), variables);
}

/// A file that is gone at the end of the test.
struct temporary_file {
  explicit temporary_file(const std::string& text) : path(folder / "dimd.toml") {
    std::ofstream{path} << text;
  }
  dim::tests::temporary_folder folder;
  std::string path;
};

using texts = std::vector<std::string>;

}  // namespace

TEST_CASE("without file, environment and flags every option has its default") {
  auto x = load_with({});
  REQUIRE(x.is_ready());
  CHECK(x.values.gateway.port == 8080);
  CHECK(x.values.cluster.roles == texts{"orchestrator", "gateway", "node"});
}

TEST_CASE("a file goes before the default, the environment before the file, a flag before all") {
  temporary_file file{"[gateway]\nport = 1001\nthreads = 11\nuploads_max = 21\n"};
  const environment variables{{"DIM_GATEWAY_THREADS", "12"}, {"DIM_GATEWAY_UPLOADS_MAX", "22"}};
  auto x = load_with({"--config", file.path.c_str(), "--gateway.uploads_max", "23"}, variables);
  REQUIRE(x.is_ready());
  CHECK(x.values.gateway.port == 1001);
  CHECK(x.values.gateway.threads == 12);
  CHECK(x.values.gateway.uploads_max == 23);
  CHECK(x.values.gateway.json_depth_max == 64);
}

TEST_CASE("the file may be named by the environment, and a flag names another one") {
  temporary_file by_variable{"[node]\nname = \"variable\"\n"};
  temporary_file by_flag{"[node]\nname = \"flag\"\n"};
  const environment variables{{"DIM_CONFIG", by_variable.path}};
  CHECK(load_with({}, variables).values.node.name == "variable");
  CHECK(load_with({"--config", by_flag.path.c_str()}, variables).values.node.name == "flag");
}

TEST_CASE("flags take every kind of value, with a space or an equals sign") {
  auto x = load_with({"--store.sync=false", "--reputation.lost", "-7", "--node.devices=cpu:0,cpu:1",
                      "--cluster.orchestrators", "a:1", "--cluster.orchestrators", "b:2",
                      "--node.region=", "--gateway.port", "1", "--gateway.port=2",
                      "--store.map_bytes=1_048_576"});
  REQUIRE(x.problems == std::vector<problem>{});
  CHECK(x.values.store.sync == false);
  CHECK(x.values.reputation.lost == -7);
  CHECK(x.values.node.devices == texts{"cpu:0", "cpu:1"});
  CHECK(x.values.cluster.orchestrators == texts{"a:1", "b:2"});
  CHECK(x.values.node.region == "");
  CHECK(x.values.gateway.port == 2);
  CHECK(x.values.store.map_bytes == 1 << 20);
}

TEST_CASE("options that depend on others are filled in, and stay as they are when set") {
  auto x = load_with({"--cluster.data_dir", "/data/a"});
  REQUIRE(x.is_ready());
  CHECK(x.values.cluster.port_file == "/data/a/ports.json");
  CHECK(x.values.node.cabinets_dir == "/data/a/cabinets");
  CHECK(x.values.node.name != "");
  CHECK(x.values.agent.program.ends_with("/dim-agent"));
  auto y = load_with({"--cluster.port_file=/p", "--node.cabinets_dir=/c", "--node.name=n",
                      "--agent.program=/a"});
  CHECK(y.values.cluster.port_file == "/p");
  CHECK(y.values.node.cabinets_dir == "/c");
  CHECK(y.values.node.name == "n");
  CHECK(y.values.agent.program == "/a");
}

TEST_CASE("a role is found by its name") {
  auto x = load_with({"--cluster.roles=gateway,node"}).values;
  CHECK(has_role(x, "gateway"));
  CHECK(!has_role(x, "orchestrator"));
}

TEST_CASE("--check-config answers instead of running, and its exit status tells of problems") {
  std::ostringstream out;
  std::ostringstream err;
  auto good = load_with({"--check-config"});
  CHECK(!good.is_ready());
  CHECK(report(good, out, err) == 0);
  CHECK(out.str() == "The configuration has no problems.\n");
  CHECK(err.str() == "");
  auto bad = load_with({"--check-config", "--gateway.port=x", "--gateway.threads=257"});
  CHECK(!bad.is_ready());
  CHECK(report(bad, out, err) == 2);
  CHECK(err.str()
        == "--gateway.port: expected a whole number from 0 to 65535, got \"x\"\n"
           "--gateway.threads: expected a whole number from 0 to 256, got 257\n"
           "2 problems in the configuration\n");
}

TEST_CASE("--help lists every section's options, and --version the version") {
  auto help = load_with({"--help"});
  CHECK(!help.is_ready());
  for (auto name : {"--config", "--cluster.name", "--gateway.port", "--reputation.floor"})
    CHECK(help.answer.find(name) != help.answer.npos);
  CHECK(load_with({"--version"}).answer.starts_with("dimd 0."));
}

TEST_CASE("the environment of this process is read") {
  setenv("DIM_TEST_OF_THE_ENVIRONMENT", "a=b", 1);
  CHECK(process_environment().at("DIM_TEST_OF_THE_ENVIRONMENT") == "a=b");
  unsetenv("DIM_TEST_OF_THE_ENVIRONMENT");
}
