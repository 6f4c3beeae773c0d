// Other names of models on the command line.
#include <doctest/doctest.h>

#include "tests/tools/dim_run.hpp"
#include "tests/tools/fake_gateway.hpp"

using namespace dim::tests;

TEST_CASE("alias set puts the model and, where it is given, the version") {
  fake_gateway gateway{[](const seen_request& request, auto) {
    const bool is_pinned = request.body.find("version") != std::string::npos;
    return scripted_answer{.body = std::string{R"({"name": "best", "model": "digits", "version": )"}
                                   + (is_pinned ? R"("2"})" : "null}")};
  }};
  dim_run pinned{{"alias", "set", "best", "digits:2"}, gateway.url()};
  CHECK(pinned.status == 0);
  CHECK(pinned.out.str() == "best is digits:2\n");
  dim_run newest{{"alias", "set", "best", "digits"}, gateway.url()};
  CHECK(newest.out.str() == "best is digits\n");
  CHECK(gateway.requests().at(0).method == "PUT");
  CHECK(gateway.requests().at(0).target == "/api/v1/aliases/best");
  CHECK(gateway.requests().at(0).body == R"({"model":"digits","version":"2"})");
  CHECK(gateway.requests().at(1).body == R"({"model":"digits"})");
}

TEST_CASE("alias list is a table, and alias remove deletes") {
  fake_gateway gateway{[](const seen_request& request, auto) {
    if (request.method == "DELETE")
      return scripted_answer{.status = 204, .body = ""};
    return scripted_answer{.body = R"({"aliases": [
      {"name": "best", "model": "digits", "version": null},
      {"name": "stable", "model": "digits", "version": "2"}]})"};
  }};
  dim_run listed{{"alias", "list"}, gateway.url()};
  CHECK(listed.status == 0);
  CHECK(listed.out.str() == "ALIAS   MODEL   VERSION\n"
                            "best    digits   newest\n"
                            "stable  digits        2\n");
  dim_run removed{{"alias", "remove", "best"}, gateway.url()};
  CHECK(removed.status == 0);
  CHECK(removed.out.str() == "removed best\n");
  CHECK(gateway.requests().at(1).method == "DELETE");
  CHECK(gateway.requests().at(1).target == "/api/v1/aliases/best");
}

TEST_CASE("alias says why the gateway refuses, and needs an order") {
  fake_gateway gateway{[](auto&, auto) {
    return scripted_answer{.status = 409,
                           .body = R"({"error": "a model has this name", "code": "conflict"})"};
  }};
  dim_run refused{{"alias", "set", "m", "digits"}, gateway.url()};
  CHECK(refused.status == 1);
  CHECK(refused.err.str() == "dim: a model has this name\ncode: conflict\n");
  CHECK(dim_run{{"alias"}, gateway.url()}.status == 2);
  CHECK(dim_run{{"alias", "set", "m"}, gateway.url()}.status == 2);
}
