#include <doctest/doctest.h>

#include "config/draft.hpp"
#include "config/load.hpp"

using namespace dim::config;
using problems = std::vector<problem>;

namespace doctest {
template <>
struct StringMaker<problems> {
  static String convert(const problems& list) {
    std::string text;
    for (const auto& x : list)
      text += "\n  " + x.where + ": " + x.what;
    return text.c_str();
  }
};
}  // namespace doctest

namespace {

problems problems_of(const std::string& text) {
  draft x;
  read_text(text, "f", x);
  check_together(x);
  return x.problems;
}

problems problems_with(std::vector<const char*> arguments, const environment& variables = {}) {
  arguments.insert(arguments.begin(), "dimd");
  return load(static_cast<int>(arguments.size()), arguments.data(), variables).problems;
}

}  // namespace

TEST_CASE("a syntax error is reported with its line and column") {
  auto found = problems_of("[gateway]\nport = = 3\n");
  REQUIRE(found.size() == 1);
  CHECK(found[0].where == "f:2:8");
  CHECK(found[0].what != "");
}

TEST_CASE("a key that stands twice is reported where it stands again") {
  auto found = problems_of("[gateway]\nport = 1\nport = 2\n");
  REQUIRE(found.size() == 1);
  CHECK(found[0].where.starts_with("f:3:"));
}

TEST_CASE("unknown sections and keys are reported with what was likely meant") {
  CHECK(problems_of("[gatway]\nport = 1\n")
        == problems{{"f:1:2", "unknown section gatway; did you mean gateway?"}});
  CHECK(problems_of("[gateway]\n  prot = 1\n")
        == problems{{"f:2:3", "unknown option gateway.prot; did you mean port?"}});
  CHECK(problems_of("[gateway]\nsomething_else = 1\n")
        == problems{{"f:2:1", "unknown option gateway.something_else"}});
  CHECK(problems_of("port = 1\n") == problems{{"f:1:1", "unknown section port"}});
  CHECK(problems_of("[gateway.port]\nx = 1\n").size() == 1);
}

TEST_CASE("a section that is a value is reported") {
  CHECK(problems_of("gateway = 3\n")
        == problems{{"f:1:11", "expected the section [gateway], got the number 3"}});
}

TEST_CASE("each wrong type is reported where its value stands") {
  CHECK(problems_of("[gateway]\nport = \"80\"\n")
        == problems{{"f:2:8", "gateway.port: expected a whole number from 0 to 65535, "
                              "got the text \"80\""}});
  CHECK(problems_of("[gateway]\nport = 8.5\n")[0].what.ends_with("got a number with a fraction"));
  CHECK(problems_of("[gateway]\nport = true\n")[0].what.ends_with("got true"));
  CHECK(problems_of("[gateway]\nport = [1]\n")[0].what.ends_with("got a list"));
  CHECK(problems_of("[gateway]\nport = 1979-05-27\n")[0].what.ends_with("got a date or time"));
  CHECK(problems_of("[store]\nsync = 1\n")
        == problems{{"f:2:8", "store.sync: expected true or false, got the number 1"}});
  CHECK(problems_of("[node]\nname = 1\n")[0].what.ends_with("got the number 1"));
  CHECK(problems_of("[node]\ndevices = \"cpu:0\"\n")[0].where == "f:2:11");
}

TEST_CASE("each wrong entry of a list is reported where it stands") {
  auto found = problems_of("[node]\ndevices = [\"cpu:0\", 1, \"gpu\",\n  \"cpu:0\"]\n");
  REQUIRE(found.size() == 1);
  CHECK(found[0].where == "f:2:21");
  CHECK(problems_of("[node]\ndevices = [\"cpu:0\", \"gpu\",\n  \"cpu:0\"]\n")
        == problems{
          {"f:2:21", "node.devices: expected \"cuda:N\", \"cpu:N\" or \"cpu:FIRST-LAST\", "
                     "got \"gpu\""},
          {"f:3:3", "node.devices: expected each entry once, got \"cpu:0\" again"}});
  CHECK(problems_of("[cluster]\nroles = []\n")
        == problems{{"f:2:9", "cluster.roles: expected 1 to 3 entries, got 0"}});
}

TEST_CASE("bounds are inclusive") {
  CHECK(problems_of("[gateway]\nport = 0\nthreads = 256\n").empty());
  CHECK(problems_of("[gateway]\nport = 65535\nthreads = 1\n").empty());
  CHECK(problems_of("[gateway]\nport = -1\nthreads = 257\n")
        == problems{
          {"f:2:8", "gateway.port: expected a whole number from 0 to 65535, got -1"},
          {"f:3:11", "gateway.threads: expected a whole number from 0 to 256, got 257"}});
}

TEST_CASE("a value that is wrong leaves the option as it was") {
  draft x;
  read_text("[gateway]\nport = 70000\nthreads = 9\n", "f", x);
  CHECK(x.values.gateway.port == 8080);
  CHECK(x.values.gateway.threads == 9);
}

TEST_CASE("texts are checked by their option's rule") {
  const std::vector<std::pair<std::string, bool>> lines = {
    {"[cluster]\nname = 'a b'", false},
    {"[cluster]\nname = 'dim-2'", true},
    {"[cluster]\nbind = '0.0.0.0'", false},
    {"[cluster]\nbind = '0.0.0.0'\nroles = ['node']", true},
    {"[cluster]\nbind = '0.0.0.0'\n[tls]\ncertificate = 'c'\nkey = 'k'\nca = 'a'", true},
    {"[tls]\ncertificate = 'c'\nkey = 'k'", false},
    {"[tls]\nca = 'a'", false},
    {"[cluster]\nbind = '127.0.0.2'", true},
    {"[cluster]\nbind = '::1'", true},
    {"[gateway]\nbind = '0.0.0.0'", true},
    {"[gateway]\nbind = 'example.org'", false},
    {"[cluster]\norchestrators = ['host.example:7411', '[::1]:80']", true},
    {"[cluster]\norchestrators = ['host']", false},
    {"[cluster]\norchestrators = ['host:0']", false},
    {"[cluster]\norchestrators = ['host:65536']", false},
    {"[cluster]\norchestrators = ['ho st:1']", false},
    {"[cluster]\ndata_dir = ''", false},
    {"[node]\nid = '0190c2a4-7b1e-7cc0-8000-0123456789ab'", true},
    {"[node]\nid = '0190C2A4-7b1e-7cc0-8000-0123456789ab'", false},
    {"[node]\nid = 'node-1'", false},
    {"[node]\nname = \"a\\nb\"", false},
    {"[node]\ndevices = ['cpu:0-3', 'cpu:4', 'cuda:1']", true},
    {"[node]\ndevices = ['cpu:3-0']", false},
    {"[node]\ndevices = ['cpu:']", false},
    {"[node]\ndevices = ['cuda:-1']", false},
    {"[agent]\nisolation = 'thread'", true},
    {"[agent]\nisolation = 'container'", false},
    {"[agent]\ntransport = 'socket'", true},
    {"[agent]\ntransport = 'pigeon'", false},
    {"[log]\nlevel = 'loud'", false},
    {"[log]\nformat = 'text'", true},
    {"[log]\nformat = 'xml'", false},
  };
  for (const auto& [text, is_good] : lines) {
    CAPTURE(text);
    CHECK(problems_of(text).empty() == is_good);
  }
}

TEST_CASE("options that contradict each other are reported where one of them was set") {
  CHECK(problems_of("[cluster]\nlost_ms = 2000\n")
        == problems{{"f:2:11", "expected cluster.suspect_ms not to be larger than "
                               "cluster.lost_ms, got 3000 and 2000"}});
  CHECK(problems_with({"--cluster.heartbeat_ms=4000"})[0].where == "--cluster.heartbeat_ms");
  CHECK(problems_with({}, {{"DIM_REPUTATION_FLOOR", "101"}})[0].where == "DIM_REPUTATION_FLOOR");
}

TEST_CASE("an interface that others reach needs a certificate, and a certificate its key and its "
          "authority") {
  CHECK(problems_of("[cluster]\nbind = '0.0.0.0'\n")
        == problems{{"f:2:8", "expected a loopback address, because [tls] names no certificate, "
                              "got \"0.0.0.0\""}});
  CHECK(problems_with({"--tls.key=k"})
        == problems{{"--tls.key", "expected all three of tls.certificate, tls.key and tls.ca, or "
                                  "none of them"}});
}

TEST_CASE("a file that can not be read is reported by its name") {
  CHECK(problems_with({"--config", "/nowhere/dimd.toml"})
        == problems{{"/nowhere/dimd.toml",
                     "expected a readable file: No such file or directory"}});
  CHECK(problems_with({"--config", "/tmp"})
        == problems{{"/tmp", "expected a readable file: Is a directory"}});
}

TEST_CASE("variables of a known section with an unknown key are reported, others are not") {
  CHECK(problems_with({}, {{"DIM_GATEWAY_PROT", "1"}, {"DIM_URL", "x"}, {"PATH", "y"}})
        == problems{{"DIM_GATEWAY_PROT", "unknown option; did you mean DIM_GATEWAY_PORT?"}});
  CHECK(problems_with({}, {{"DIM_GATEWAY_PORT", "web"}})
        == problems{{"DIM_GATEWAY_PORT",
                     "expected a whole number from 0 to 65535, got \"web\""}});
}

TEST_CASE("unknown flags, missing values and loose arguments are reported") {
  CHECK(problems_with({"--gateway.prot", "1", "--nonsense", "loose", "more"})
        == problems{{"--gateway.prot", "unknown flag; did you mean --gateway.port?"},
                    {"--nonsense", "unknown flag"},
                    {"more", "expected a flag, got an argument"}});
  CHECK(problems_with({"--gateway.threads=257", "--gateway.port"})
        == problems{{"--gateway.threads", "expected a whole number from 0 to 256, got 257"},
                    {"--gateway.port", "expected a value"}});
}

TEST_CASE("problems of file, environment and flags come together, in this order") {
  draft x;
  read_text("[gateway]\nport = -1\n[cluster]\nnam = 'x'\n", "f", x);
  read_environment({{"DIM_NODE_QUEUE_MAX", "0"}}, x);
  REQUIRE(x.problems.size() == 3);
  CHECK(x.problems[0].where == "f:2:8");
  CHECK(x.problems[1].where == "f:4:1");
  CHECK(x.problems[2].where == "DIM_NODE_QUEUE_MAX");
}
