#include "gateway/router.hpp"

#include <doctest/doctest.h>

namespace {

using namespace dim::gateway;

http_request request_for(std::string method, std::string_view target) {
  http_request request;
  request.method = std::move(method);
  auto parsed = parse_target(target);
  REQUIRE(parsed);
  request.segments = parsed->segments;
  request.query = parsed->query;
  return request;
}

router sample_router() {
  router routes;
  for (auto [method, pattern] :
       {std::pair{"GET", "/api/v1/jobs"}, std::pair{"POST", "/api/v1/jobs"},
        std::pair{"GET", "/api/v1/jobs/{id}"}, std::pair{"DELETE", "/api/v1/jobs/{id}"},
        std::pair{"GET", "/v2/models/stats"}, std::pair{"GET", "/v2/models/{name}"},
        std::pair{"GET", "/"}})
    routes.add({method, pattern, [](exchange_ptr) {}});
  return routes;
}

TEST_CASE("a request finds the route of its method and path, with the path's variables") {
  auto routes = sample_router();
  auto request = request_for("DELETE", "/api/v1/jobs/01ab%2F%20x");
  auto found = routes.match(request).found;
  REQUIRE(found != nullptr);
  CHECK(found->method == "DELETE");
  CHECK(found->pattern == "/api/v1/jobs/{id}");
  CHECK(request.parameter("id") == "01ab/ x");
  CHECK(request.parameter("other") == "");
}

TEST_CASE("a trailing slash and a query change nothing about the route") {
  auto routes = sample_router();
  for (auto target : {"/api/v1/jobs", "/api/v1/jobs/", "/api/v1/jobs?limit=3", "/"}) {
    CAPTURE(target);
    auto request = request_for("GET", target);
    CHECK(routes.match(request).found != nullptr);
  }
}

TEST_CASE("a literal segment goes before one in braces") {
  auto routes = sample_router();
  auto literal = request_for("GET", "/v2/models/stats");
  CHECK(routes.match(literal).found->pattern == "/v2/models/stats");
  auto variable = request_for("GET", "/v2/models/other");
  CHECK(routes.match(variable).found->pattern == "/v2/models/{name}");
}

TEST_CASE("an unknown path is 404, and a known path with another method 405 with Allow") {
  auto routes = sample_router();
  auto unknown = request_for("GET", "/api/v1/job");
  auto outcome = routes.match(unknown);
  CHECK(outcome.found == nullptr);
  CHECK(outcome.refusal.status == 404);

  auto wrong = request_for("PUT", "/api/v1/jobs");
  outcome = routes.match(wrong);
  CHECK(outcome.found == nullptr);
  CHECK(outcome.refusal.status == 405);
  REQUIRE(outcome.refusal.headers.size() == 1);
  CHECK(outcome.refusal.headers[0].first == "Allow");
  CHECK(outcome.refusal.headers[0].second == "GET, HEAD, POST");
}

TEST_CASE("an empty segment of a path is no variable's value") {
  auto routes = sample_router();
  for (auto target : {"/v2/models//", "/api/v1/jobs//", "//", "/api//v1/jobs"}) {
    CAPTURE(target);
    auto request = request_for("GET", target);
    auto outcome = routes.match(request);
    CHECK(outcome.found == nullptr);
    CHECK(outcome.refusal.status == 404);
  }
}

TEST_CASE("a filter may refuse a request before its handler is found") {
  auto routes = sample_router();
  routes.add_filter([](const http_request&, const route& found) -> std::optional<http_reply> {
    if (found.method == "DELETE")
      return http_reply{403, {}, "text/plain", "no"};
    return std::nullopt;
  });
  auto refused = request_for("DELETE", "/api/v1/jobs/1");
  auto outcome = routes.match(refused);
  CHECK(outcome.found == nullptr);
  CHECK(outcome.refusal.status == 403);
  auto allowed = request_for("GET", "/api/v1/jobs/1");
  CHECK(routes.match(allowed).found != nullptr);
}

TEST_CASE("a request of another web site is refused, and one of the own site or of none is not") {
  route any{"GET", "/", {}};
  http_request request;
  request.headers["host"] = "127.0.0.1:8080";
  CHECK(!refuse_foreign_origin(request, any));
  request.headers["origin"] = "http://127.0.0.1:8080";
  CHECK(!refuse_foreign_origin(request, any));
  for (auto origin : {"http://evil.example", "null", "https://127.0.0.1:8081"}) {
    CAPTURE(origin);
    request.headers["origin"] = origin;
    auto refusal = refuse_foreign_origin(request, any);
    REQUIRE(refusal);
    CHECK(refusal->status == 403);
  }
}

TEST_CASE("a target is taken apart and percent-decoded") {
  auto target = parse_target("/a%20b/c+d/?x=1+2&y=%26&&z&x=3#part");
  REQUIRE(target);
  CHECK(target->segments == std::vector<std::string>{"a b", "c+d"});
  std::vector<std::pair<std::string, std::string>> query{
    {"x", "1 2"}, {"y", "&"}, {"z", ""}, {"x", "3"}};
  CHECK(target->query == query);
  CHECK(parse_target("http://host:80/a?b=c")->segments == std::vector<std::string>{"a"});
  CHECK(parse_target("HTTP://host:80/a")->segments == std::vector<std::string>{"a"});
  CHECK(parse_target("http://host")->segments.empty());
}

TEST_CASE("a query that is not percent-encoded stays as it is written") {
  auto target = parse_target("/a?%&x=100%&y=%zz&%x=1&z=%00&b=%20");
  REQUIRE(target);
  std::vector<std::pair<std::string, std::string>> query{
    {"%", ""}, {"x", "100%"}, {"y", "%zz"}, {"%x", "1"}, {"z", "%00"}, {"b", " "}};
  CHECK(target->query == query);
}

TEST_CASE("a malformed target is refused") {
  for (auto target : {"", "*", "a", "/%", "/%4", "/%zz", "/%00", "HTTP:/a"}) {
    CAPTURE(target);
    CHECK(!parse_target(target));
  }
}

}  // namespace
