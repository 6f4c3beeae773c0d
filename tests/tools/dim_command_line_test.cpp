#include <doctest/doctest.h>

#include "tests/tools/dim_run.hpp"
#include "tests/tools/fake_gateway.hpp"

using namespace dim::tests;

namespace {

bool contains(const std::ostringstream& text, const std::string& part) {
  return text.str().find(part) != std::string::npos;
}

/// The address of a port that nobody listens on.
std::string deserted_url() {
  return fake_gateway{[](auto&, auto) { return scripted_answer{}; }}.url();
}

}  // namespace

TEST_CASE("a command line that is wrong ends with status 2 and says why on standard error") {
  for (auto arguments : {std::vector<std::string>{}, {"nonsense"}, {"get"},
                         {"list", "--limit", "x"}, {"list", "--nonsense"}, {"push", "name"},
                         {"get", ""}, {"cancel", ""}, {"watch", ""}, {"nodes", ""}, {"models", ""},
                         {"remove", ""}, {"remove", "m", ""}, {"node", "drain", ""},
                         {"alias", "set", "a", ""}, {"alias", "remove", ""},
                         {"list", "--array", ""},
                         {"stats", "--url", "https://a"}, {"submit"}}) {
    dim_run run{arguments};
    CHECK(run.status == 2);
    CHECK(run.out.str() == "");
    CHECK(contains(run.err, "dim: "));
  }
}

TEST_CASE("a command or a flag that is not known is named, with what was likely meant") {
  const std::pair<std::vector<std::string>, std::string> lines[] = {
    {{"nodse"}, "dim: unknown argument nodse; did you mean nodes?\n"},
    {{"zzzzzzzzz"}, "dim: unknown argument zzzzzzzzz\n"},
    {{"--jsn", "stats"}, "dim: unknown argument --jsn; did you mean --json?\n"},
    {{"--jsn"}, "dim: unknown argument --jsn; did you mean --json?\n"},
    {{"node", "drian", "n1"}, "dim: unknown argument drian; did you mean drain?\n"},
    {{"list", "--limt", "3"}, "dim: unknown argument --limt; did you mean --limit?\n"},
    {{"alias"}, "dim: A subcommand is required\n"},
    {{"get", ""}, "dim: id: expected a text that is not empty\n"},
    {{"get"}, "dim: id is required\n"}};
  for (const auto& [arguments, words] : lines) {
    const dim_run run{arguments};
    CHECK(run.status == 2);
    CHECK(run.err.str() == words + "Run \"dim --help\" for more information.\n");
  }
}

TEST_CASE("help and version are answers and end with status 0") {
  dim_run help{{"--help"}};
  CHECK(help.status == 0);
  for (auto command : {"submit", "list", "get", "cancel", "watch", "nodes", "models", "push",
                       "remove", "stats"})
    CHECK(contains(help.out, command));
  dim_run of_command{{"submit", "--help"}};
  CHECK(of_command.status == 0);
  CHECK(contains(of_command.out, "--redundancy"));
  CHECK(contains(of_command.out, "automatic, exact, tensor or label"));
  dim_run version{{"--version"}};
  CHECK(version.status == 0);
  CHECK(version.out.str().starts_with("dim 0."));
}

TEST_CASE("a gateway that nobody can reach ends every command with status 3") {
  const auto url = deserted_url();
  for (auto arguments : {std::vector<std::string>{"list"}, {"get", "1"}, {"cancel", "1"}, {"nodes"},
                         {"models"}, {"remove", "m"}, {"stats"}, {"watch", "1"},
                         {"submit", "--model", "m"}}) {
    CAPTURE(arguments.front());
    dim_run run{arguments, url};
    CHECK(run.status == 3);
    CHECK(run.out.str() == "");
    CHECK(contains(run.err, "can not connect to 127.0.0.1:"));
  }
}

TEST_CASE("a gateway that does not answer in time is unreachable") {
  fake_gateway gateway{[](auto&, auto) { return scripted_answer::silent(); }};
  dim_run run{{"stats", "--reply-timeout-ms", "50"}, gateway.url()};
  CHECK(run.status == 3);
  CHECK(contains(run.err, "it took too long"));
}

TEST_CASE("the address is that of --url, else of DIM_URL") {
  fake_gateway by_flag{[](auto&, auto) { return scripted_answer{.body = R"({"a": 1})"}; }};
  fake_gateway by_variable{[](auto&, auto) { return scripted_answer{.body = R"({"a": 2})"}; }};
  CHECK(dim_run{{"stats"}, by_variable.url()}.out.str() == "a  2\n");
  CHECK(dim_run{{"--url", by_flag.url(), "stats"}, by_variable.url()}.out.str() == "a  1\n");
  CHECK(dim_run{{"stats", "--url", by_flag.url() + "/base/"}, by_variable.url()}.status == 0);
  CHECK(by_flag.requests().back().target == "/base/stats");
}

TEST_CASE("what the server refuses ends with status 1, and message, code and details stand alone") {
  fake_gateway gateway{[](auto&, auto) {
    return scripted_answer{
      .status = 400,
      .body = R"({"error": "2 problems", "code": "bad_input",
                  "details": ["a: no", "b: \u001bno"]})"};
  }};
  dim_run run{{"submit", "--model", "m"}, gateway.url()};
  CHECK(run.status == 1);
  CHECK(run.err.str() == "dim: 2 problems\ncode: bad_input\n  a: no\n  b: ?no\n");
  CHECK(run.out.str() == "");
}

TEST_CASE("an answer that is not JSON is a failure, whatever its status") {
  for (unsigned status : {200u, 502u}) {
    fake_gateway gateway{[status](auto&, auto) {
      return scripted_answer{.status = status, .body = "<html>"};
    }};
    dim_run run{{"stats"}, gateway.url()};
    CHECK(run.status == 1);
    CHECK(contains(run.err, "status " + std::to_string(status)));
  }
}

TEST_CASE("a connection that the gateway has closed meanwhile is opened again") {
  fake_gateway gateway{[](auto&, std::size_t before) {
    return before == 1 ? scripted_answer::closed() : scripted_answer{.body = R"({"id": "i"})"};
  }};
  dim_run run{{"get", "i", "--history"}, gateway.url()};
  CHECK(run.status == 0);
  CHECK(gateway.requests().size() == 3);
}

TEST_CASE("--json prints what the gateway said, members in its order, wherever the flag stands") {
  fake_gateway gateway{[](auto&, auto) {
    return scripted_answer{.body = R"({"z":1,"a":[0.1,{"b":null}],"n":9007199254740993})"};
  }};
  const auto expected
    = "{\n  \"z\": 1,\n  \"a\": [\n    0.1,\n    {\n      \"b\": null\n    }\n  ],\n"
      "  \"n\": 9007199254740993\n}\n";
  CHECK(dim_run{{"--json", "stats"}, gateway.url()}.out.str() == expected);
  CHECK(dim_run{{"stats", "--json"}, gateway.url()}.out.str() == expected);
}
