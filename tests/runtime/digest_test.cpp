#include "runtime/digest.hpp"

#include <utility>

#include <doctest/doctest.h>

using namespace dim;

TEST_CASE("digests are those of the standard's examples") {
  CHECK(runtime::sha256_hex("")
        == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(runtime::sha256_hex("abc")
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("a digest grown in pieces is that of the whole") {
  const std::string text(100'000, 'a');
  runtime::sha256_hasher hasher;
  for (std::size_t at = 0; at < text.size(); at += 777)
    hasher.update(std::string_view{text}.substr(at, 777));
  hasher.update(nullptr, 0);
  auto moved = std::move(hasher);
  CHECK(moved.finish() == runtime::sha256_hex(text));
}

TEST_CASE("only 64 lower-case hex digits are a digest") {
  const std::string good = runtime::sha256_hex("x");
  CHECK(runtime::is_digest(good));
  CHECK_FALSE(runtime::is_digest(""));
  CHECK_FALSE(runtime::is_digest(good.substr(1)));
  CHECK_FALSE(runtime::is_digest(good + "0"));
  CHECK_FALSE(runtime::is_digest("G" + good.substr(1)));
  CHECK_FALSE(runtime::is_digest("A" + good.substr(1)));
}
