#include "gateway/content_coding.hpp"

#include <doctest/doctest.h>

namespace {

using namespace dim;
using namespace dim::gateway;
using runtime::error_code;

constexpr auto codings = {content_coding::gzip, content_coding::deflate};

std::string packed(content_coding coding, const std::string& text) {
  http_reply reply;
  reply.body = text;
  encode_reply(coding, reply);
  return reply.body;
}

TEST_CASE("what is compressed comes back the same, body and tail as one") {
  std::string text;
  for (int i = 0; i < 100'000; ++i)
    text += std::to_string(i * 7919);
  for (auto coding : codings) {
    http_reply reply;
    reply.body = text;
    reply.tail.push_back(runtime::bytes::copy_of("tail"));
    encode_reply(coding, reply);
    CHECK(reply.tail.empty());
    CHECK(reply.body.size() < text.size());
    auto back = decode_body(coding, reply.body, text.size() + 4);
    REQUIRE(back);
    CHECK((back->view() == text + "tail"));
    auto limited = decode_body(coding, reply.body, text.size() + 3);
    REQUIRE(!limited);
    CHECK(limited.error().code == error_code::too_large);
  }
}

TEST_CASE("an empty answer is not compressed") {
  http_reply reply;
  encode_reply(content_coding::gzip, reply);
  CHECK(reply.body.empty());
  CHECK(reply.headers.empty());
}

TEST_CASE("a body that is no such stream, or breaks off, is refused") {
  for (auto coding : codings) {
    auto whole = packed(coding, "a text that is worth it");
    CHECK(decode_body(coding, whole, 1'000));
    for (auto bad :
         {std::string{}, std::string{"plain"}, whole.substr(0, whole.size() - 1), whole + "more"})
      CHECK(!decode_body(coding, bad, 1'000));
  }
  CHECK(!decode_body(content_coding::gzip, packed(content_coding::deflate, "text"), 1'000));
}

TEST_CASE("a gzip body may be several, one after the other") {
  auto twice = packed(content_coding::gzip, "one ") + packed(content_coding::gzip, "two");
  auto back = decode_body(content_coding::gzip, twice, 100);
  REQUIRE(back);
  CHECK(back->view() == "one two");
}

TEST_CASE("a small body that grows without end is stopped at the limit") {
  auto bomb = packed(content_coding::gzip, std::string(64 << 20, '\0'));
  CHECK(bomb.size() < (1 << 20));
  auto back = decode_body(content_coding::gzip, bomb, 1 << 20);
  REQUIRE(!back);
  CHECK(back.error().code == error_code::too_large);
}

TEST_CASE("codings are known by name") {
  CHECK(coding_named("gzip") == content_coding::gzip);
  CHECK(coding_named(" GZIP ") == content_coding::gzip);
  CHECK(coding_named("deflate") == content_coding::deflate);
  CHECK(coding_named("") == content_coding::identity);
  CHECK(!coding_named("br"));
  CHECK(!coding_named("gzip, deflate"));
}

TEST_CASE("the best liked coding is chosen by q-values") {
  struct {
    const char* field;
    content_coding wanted;
  } cases[] = {
    {"", content_coding::identity},
    {"gzip", content_coding::gzip},
    {"deflate", content_coding::deflate},
    {"gzip, deflate", content_coding::gzip},
    {"gzip;q=0.3, deflate;q=0.8", content_coding::deflate},
    {"gzip;q=0", content_coding::identity},
    {"gzip;q=0, deflate;q=0", content_coding::identity},
    {"*", content_coding::gzip},
    {"*;q=0.5, gzip;q=0.1", content_coding::deflate},
    {"identity", content_coding::identity},
    {"identity;q=1, gzip;q=0.5", content_coding::identity},
    {"br, zstd", content_coding::identity},
    {"gzip;q=abc", content_coding::identity},
    {" , ,gzip ; q=1 ", content_coding::gzip},
  };
  for (auto& each : cases) {
    CAPTURE(each.field);
    CHECK(preferred_coding(each.field) == each.wanted);
  }
}

}  // namespace
