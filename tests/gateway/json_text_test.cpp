#include <limits>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "gateway/base64.hpp"
#include "gateway/http_status.hpp"
#include "gateway/json_writer.hpp"
#include "gateway/problem_list.hpp"
#include "gateway/query_reader.hpp"
#include "runtime/random_source.hpp"

namespace {

using namespace dim;
using namespace dim::gateway;
using nlohmann::json;

TEST_CASE("a writer's text is the JSON that was written") {
  json_writer out;
  out.begin_object();
  out.member("text", "a \"quote\", a \\ and a \n");
  out.member("bad", std::string{"\xff ok"});
  out.member("yes", true);
  out.member("least", std::numeric_limits<std::int64_t>::min());
  out.member("most", std::numeric_limits<std::uint64_t>::max());
  out.member("tenth", 0.1);
  out.member("endless", std::numeric_limits<double>::infinity());
  out.member("nothing", nullptr);
  out.member("texts", std::vector<std::string>{"a", "b"});
  out.text_or_null("empty", "");
  out.key("nested");
  out.begin_array();
  out.begin_array();
  out.end_array();
  out.begin_object();
  out.end_object();
  out.raw("[1,2]");
  out.end_array();
  out.end_object();
  auto read = json::parse(out.take());
  CHECK(read["text"] == "a \"quote\", a \\ and a \n");
  CHECK(read["bad"] == "\xef\xbf\xbd ok");
  CHECK(read["yes"] == true);
  CHECK(read["least"] == std::numeric_limits<std::int64_t>::min());
  CHECK(read["most"] == std::numeric_limits<std::uint64_t>::max());
  CHECK(read["tenth"] == 0.1);
  CHECK(read["endless"].is_null());
  CHECK(read["nothing"].is_null());
  CHECK(read["texts"] == json{"a", "b"});
  CHECK(read["empty"].is_null());
  CHECK(read["nested"].dump() == "[[],{},[1,2]]");
}

TEST_CASE("times are RFC 3339 in UTC with milliseconds, and 0 is null") {
  CHECK(rfc3339(1'763'651'045'007) == "2025-11-20T15:04:05.007Z");
  CHECK(rfc3339(951'782'400'000) == "2000-02-29T00:00:00.000Z");
  json_writer out;
  out.begin_object();
  out.time_or_null("never", 0);
  out.end_object();
  CHECK(out.take() == R"({"never":null})");
}

TEST_CASE("base64 reads back what it wrote, for every length, and refuses what is none") {
  CHECK(to_base64("") == "");
  CHECK(to_base64("f") == "Zg==");
  CHECK(to_base64("fo") == "Zm8=");
  CHECK(to_base64("foobar") == "Zm9vYmFy");
  runtime::random_source random{7};
  for (std::size_t length = 0; length < 200; ++length) {
    std::string bytes;
    while (bytes.size() < length)
      bytes += static_cast<char>(random.below(256));
    CHECK(from_base64(to_base64(bytes)) == bytes);
  }
  for (auto text : {"Zg", "Zg=", "Z===", "Zg==Zg==", "Zm 8", "Zm9v\nYmF", "====", "Zm9*"}) {
    CAPTURE(text);
    CHECK(!from_base64(text));
  }
}

TEST_CASE("every error code has its HTTP status, and an answer with error, code and details") {
  using runtime::error_code;
  CHECK(http_status_of(error_code::bad_input) == 400);
  CHECK(http_status_of(error_code::unsupported) == 400);
  CHECK(http_status_of(error_code::not_found) == 404);
  CHECK(http_status_of(error_code::model_not_found) == 404);
  CHECK(http_status_of(error_code::conflict) == 409);
  CHECK(http_status_of(error_code::too_large) == 413);
  CHECK(http_status_of(error_code::overloaded) == 503);
  CHECK(http_status_of(error_code::unavailable) == 503);
  CHECK(http_status_of(error_code::timeout) == 504);
  CHECK(http_status_of(error_code::store_full) == 507);
  CHECK(http_status_of(error_code::internal) == 500);
  for (std::size_t i = 1; i < runtime::error_code_count; ++i) {
    auto code = static_cast<error_code>(i);
    CAPTURE(i);
    auto answer = failure_reply({code, "", {"one", "two"}});
    CHECK(answer.status >= 400);
    CHECK(answer.status < 600);
    auto body = json::parse(answer.body);
    CHECK(body["error"] == std::string{runtime::sentence_of(code)});
    CHECK(body["code"] == std::string{runtime::to_string(code)});
    CHECK(body["details"] == json{"one", "two"});
  }
  auto busy = failure_reply({error_code::overloaded, "later", {}});
  REQUIRE(busy.headers.size() == 1);
  CHECK(busy.headers[0].first == "Retry-After");
}

TEST_CASE("problems carry their path, and those beyond the limit are counted") {
  problem_list problems{2};
  json_path body;
  auto inputs = body.member("inputs");
  auto first = inputs.at(0);
  auto shape = first.member("shape");
  problems.add_mismatch(shape.at(1), "64", "63");
  problems.add(body, "wrong");
  problems.add(inputs, "more");
  problems.add(inputs, "still more");
  CHECK(problems.count() == 4);
  CHECK(problems.take()
        == std::vector<std::string>{"inputs[0].shape[1]: expected 64, got 63", "body: wrong",
                                    "and 2 more"});
  CHECK(problems.empty());
}

TEST_CASE("a query names unknown, repeated and wrong parameters at once") {
  http_request request;
  request.query = {{"limit", "0"}, {"status", "a"}, {"status", "b"}, {"colour", "red"}};
  query_reader query{request};
  CHECK(query.whole("limit", 1, 10, 5) == 5);
  CHECK(query.text("status") == "b");
  CHECK(query.text("absent") == "");
  auto checked = query.finish();
  REQUIRE(!checked);
  CHECK(checked.error().code == runtime::error_code::bad_input);
  CHECK(checked.error().details.size() == 3);

  request.query = {{"limit", "10"}};
  query_reader good{request};
  CHECK(good.whole("limit", 1, 10, 5) == 10);
  CHECK(good.finish());
}

}  // namespace
