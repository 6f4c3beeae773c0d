// How long commands ask a gateway to wait that grants less than they wish.
#include <doctest/doctest.h>

#include "tests/tools/dim_run.hpp"
#include "tests/tools/fake_gateway.hpp"

using namespace dim::tests;

namespace {

/// A gateway whose longest wait is `wait_ms_max`, with a job that ends after `waits` of them.
fake_gateway gateway_with(std::uint32_t wait_ms_max, int waits) {
  return fake_gateway{[wait_ms_max, waits](const seen_request& request, auto) mutable {
    if (request.method == "POST")
      return scripted_answer{.status = 202, .body = R"({"id": "0190c2a4-7b1e"})"};
    const auto place = request.target.find("wait_ms=");
    const auto wait_ms
      = place == std::string::npos ? 0 : std::stoul(request.target.substr(place + 8));
    if (wait_ms > wait_ms_max) {
      const auto max = std::to_string(wait_ms_max);
      return scripted_answer{
        .status = 400,
        .body = R"({"error": "the query has problems", "code": "bad_input", "details": [)"
                R"("wait_ms: expected a whole number from 0 to )" + max + R"("]})"};
    }
    return scripted_answer{.body = waits-- > 0 ? R"({"status": "running"})"
                                               : R"({"status": "completed"})"};
  }};
}

std::string last_target(const fake_gateway& gateway) {
  return gateway.requests().back().target;
}

}  // namespace

TEST_CASE("a wait that the gateway refuses is halved until it takes it") {
  auto gateway = gateway_with(1'000, 2);
  const dim_run watch{{"watch", "0190", "--json"}, gateway.url()};
  CHECK(watch.status == 0);
  CHECK(last_target(gateway) == "/api/v1/jobs/0190?wait_ms=937");
  auto of_submit = gateway_with(1'000, 2);
  const dim_run submit{{"submit", "--model", "m", "--wait", "--json"}, of_submit.url()};
  CHECK(submit.status == 0);
  CHECK(last_target(of_submit) == "/api/v1/jobs/0190c2a4-7b1e?wait_ms=937");
  auto of_get = gateway_with(1'000, 2);
  CHECK(dim_run{{"get", "0190", "--wait-ms", "5000"}, of_get.url()}.status == 0);
  CHECK(last_target(of_get) == "/api/v1/jobs/0190?wait_ms=625");
}

TEST_CASE("with a gateway that never waits, the command pauses itself between two looks") {
  auto gateway = gateway_with(0, 3);
  const dim_run watch{{"watch", "0190", "--json"}, gateway.url()};
  CHECK(watch.status == 0);
  CHECK(last_target(gateway) == "/api/v1/jobs/0190");
  CHECK(watch.pauses == std::vector<std::int64_t>{500, 500});
  auto of_get = gateway_with(0, 100);
  const dim_run get{{"get", "0190", "--wait-ms", "1200"}, of_get.url()};
  CHECK(get.out.str().find("running") != std::string::npos);
  CHECK(get.pauses == std::vector<std::int64_t>{500, 500, 200});
}
