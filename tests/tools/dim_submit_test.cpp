#include <set>

#include <doctest/doctest.h>

#include "tests/tools/dim_run.hpp"
#include "tests/tools/fake_gateway.hpp"

using namespace dim::tests;

namespace {

constexpr auto accepted = R"({"id": "0190c2a4-7b1e-7cc0-8000-000000000001", "status": "pending"})";

std::set<std::string> keys_of(const fake_gateway& gateway) {
  std::set<std::string> result;
  for (const auto& request : gateway.requests())
    result.insert(request.headers.at("idempotency-key"));
  return result;
}

}  // namespace

TEST_CASE("submit posts the job and prints its whole id alone") {
  fake_gateway gateway{[](auto&, auto) {
    return scripted_answer{.status = 202, .body = accepted};
  }};
  dim_run run{{"submit", "-"}, gateway.url(), R"({"model": "m"})"};
  CHECK(run.status == 0);
  CHECK(run.out.str() == "0190c2a4-7b1e-7cc0-8000-000000000001\n");
  CHECK(run.err.str() == "");
  const auto request = gateway.requests().at(0);
  CHECK(request.method == "POST");
  CHECK(request.target == "/api/v1/jobs");
  CHECK(request.body == R"({"model": "m"})");
  CHECK(request.headers.at("content-type") == "application/json");
  CHECK(request.headers.at("idempotency-key").size() == 36);
}

TEST_CASE("a broken connection and a 503 are tried again under the same key") {
  fake_gateway gateway{[](auto&, std::size_t before) {
    if (before == 0)
      return scripted_answer::closed();
    if (before == 1)
      return scripted_answer{.status = 503,
                             .body = R"({"error": "full", "code": "overloaded"})",
                             .headers = {{"Retry-After", "2"}}};
    return scripted_answer{.status = 202, .body = accepted};
  }};
  dim_run run{{"submit", "--model", "m"}, gateway.url()};
  CHECK(run.status == 0);
  CHECK(gateway.requests().size() == 3);
  CHECK(keys_of(gateway).size() == 1);
  CHECK(run.pauses == std::vector<std::int64_t>{200, 2'000});
  CHECK(run.err.str().find("trying again") != std::string::npos);
}

TEST_CASE("each invocation has a key of its own") {
  fake_gateway gateway{[](auto&, auto) {
    return scripted_answer{.status = 202, .body = accepted};
  }};
  dim_run{{"submit", "--model", "m"}, gateway.url()};
  dim_run{{"submit", "--model", "m"}, gateway.url()};
  CHECK(keys_of(gateway).size() == 2);
}

TEST_CASE("a gateway that stays full or broken is given up after --retry-ms") {
  fake_gateway full{[](auto&, auto) {
    return scripted_answer{.status = 503, .body = R"({"error": "full", "code": "overloaded"})"};
  }};
  dim_run refused{{"submit", "--model", "m", "--retry-ms", "1000"}, full.url()};
  CHECK(refused.status == 1);
  CHECK(refused.pauses == std::vector<std::int64_t>{200, 400});
  CHECK(refused.err.str().find("code: overloaded") != std::string::npos);
  fake_gateway broken{[](auto&, auto) { return scripted_answer::closed(); }};
  dim_run unreachable{{"submit", "--model", "m", "--retry-ms", "0"}, broken.url()};
  CHECK(unreachable.status == 3);
  CHECK(broken.requests().size() == 1);
}

TEST_CASE("what the server refuses for good is not tried again") {
  fake_gateway gateway{[](auto&, auto) {
    return scripted_answer{.status = 400, .body = R"({"error": "no", "code": "bad_input"})"};
  }};
  dim_run run{{"submit", "--model", "m"}, gateway.url()};
  CHECK(run.status == 1);
  CHECK(gateway.requests().size() == 1);
}

TEST_CASE("submit --wait follows the job and ends as the job does") {
  for (const std::string status : {"completed", "failed", "cancelled"}) {
    fake_gateway gateway{[&status](const seen_request& request, auto) {
      if (request.method == "POST")
        return scripted_answer{.status = 202, .body = accepted};
      return scripted_answer{.body = R"({"id": "0190c2a4", "status": ")" + status + "\"}"};
    }};
    dim_run run{{"submit", "--wait", "--model", "m"}, gateway.url()};
    CHECK(run.status == (status == "completed" ? 0 : 1));
    CHECK(run.out.str().find(status) != std::string::npos);
    CHECK(gateway.requests().at(1).target
          == "/api/v1/jobs/0190c2a4-7b1e-7cc0-8000-000000000001");
  }
}
