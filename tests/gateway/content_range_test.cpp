#include "gateway/content_range.hpp"

#include <string>

#include <doctest/doctest.h>

using dim::gateway::content_range;
using dim::gateway::parse_content_range;

TEST_CASE("a part of a file is read with where it begins, its length and the whole") {
  CHECK(parse_content_range("bytes 0-9/10") == content_range{0, 10, 10});
  CHECK(parse_content_range("Bytes 3-3/10") == content_range{3, 1, 10});
  CHECK_FALSE(parse_content_range("bytes 0-0/1")->is_question());
  CHECK(parse_content_range("bytes 0-18446744073709551614/18446744073709551615")->length
        == 18'446'744'073'709'551'615u);
}

TEST_CASE("a question supposes the end of the file") {
  CHECK(parse_content_range("bytes */10") == content_range{10, 0, 10});
  CHECK(parse_content_range("BYTES */1")->is_question());
}

TEST_CASE("whatever is no range within a known total is refused") {
  for (const std::string text :
       {"", "bytes", "bytes ", "bytes 0-9", "bytes 0-9/", "bytes 0-9/*", "bytes */*", "bytes */0",
        "bytes 0-10/10", "bytes 5-4/10", "bytes -4/10", "bytes 0-/10", "bytes 0-9/10 ",
        "bytes  0-9/10", "bytes 0 -9/10", "bytes +0-9/10", "bytes 0--9/10", "bytes 0x0-9/10",
        "rows 0-9/10", "bytes=0-9/10", "bytes 0-9/10, bytes 0-9/10",
        "bytes 0-18446744073709551615/18446744073709551616", "bytes *-9/10", "bytes 0-9,/10"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_content_range(text).has_value());
  }
}
