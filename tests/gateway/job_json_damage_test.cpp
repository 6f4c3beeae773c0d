#include <random>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "runtime/random_source.hpp"
#include "tests/gateway/job_samples.hpp"

namespace {

using namespace dim;
using namespace dim::tests;
using runtime::error_code;

TEST_CASE("text that is not one JSON object is refused") {
  for (std::string_view text : {"",
                                " ",
                                "{",
                                "}",
                                "[]",
                                "7",
                                "null",
                                "\"a\"",
                                "{\"name\"",
                                "{\"name\":}",
                                "{\"name\":\"a\"",
                                "{\"name\" \"a\"}",
                                "{'name':1}",
                                "{\"name\":\"a\"}}",
                                "{\"name\":\"a\"} x",
                                "{\"name\":\"a\"}{}",
                                "{\"name\":\"\xff\"}",
                                "{\"name\":\"\xc3\"}",
                                "{\"na\x01me\":1}",
                                "{\"name\":\"\\x\"}",
                                "{\"name\":\"\\ud800\"}",
                                "{\"name\":tru}",
                                "\xef\xbb\xbf{}",
                                "{\"priority\":1x}",
                                "{\"priority\":1 2}",
                                "{\"inputs\":[1 2]}",
                                "{\"inputs\":[1,]}"}) {
    CAPTURE(text);
    auto refused = read_text(text);
    REQUIRE(!refused);
    CHECK(refused.error().code == error_code::bad_input);
    CHECK(!refused.error().details.empty());
  }
}

TEST_CASE("a document that is no object has that one problem, not those of an empty job") {
  for (std::string_view text : {"[]", "7", "null", "\"a\"", "true"}) {
    CAPTURE(text);
    auto refused = read_text(text);
    REQUIRE(!refused);
    CHECK(refused.error().details.size() == 1);
    CHECK(refused.error().details[0].find("body: expected an object, got ") == 0);
  }
}

TEST_CASE("deep nesting, and every beginning of a good job, is refused without harm") {
  for (std::string_view bracket : {"[", "{\"a\":"}) {
    std::string deep = "{\"inputs\":";
    for (int i = 0; i < 200'000; ++i)
      deep += bracket;
    CHECK(!read_text(deep));
    CHECK(!read_text(deep.substr(10)));
    std::string closed =
      "{\"inputs\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
    CHECK(!read_text(closed));
  }
  auto text = job_of("chained").dump();
  for (std::size_t length = 0; length < text.size(); ++length) {
    CAPTURE(length);
    CHECK(!read_text(std::string_view{text}.substr(0, length)));
  }
}

TEST_CASE("damaged submissions are refused with a problem, or are whole jobs still") {
  auto seed = std::random_device{}();
  MESSAGE("seed " << seed);
  runtime::random_source random{seed};
  constexpr std::string_view marks = "{}[]\",:\\0-1.eEn \xff";
  std::vector<std::string> good;
  for (auto pattern : {"single", "replicated", "collaborative", "comparative", "chained"})
    good.push_back(job_of(pattern).dump());
  for (int round = 0; round < 20'000; ++round) {
    auto text = good[random.below(good.size())];
    for (auto changes = 1 + random.below(4); changes > 0 && !text.empty(); --changes) {
      auto at = random.below(text.size());
      auto kind = random.below(3);
      if (kind == 0)
        text[at] = marks[random.below(marks.size())];
      else if (kind == 1)
        text.erase(at, 1 + random.below(5));
      else
        text.insert(at, text.substr(random.below(text.size()), 1 + random.below(20)));
    }
    CAPTURE(text);
    auto spec = read_text(text);
    if (spec)
      REQUIRE(!spec->steps.empty());
    else
      REQUIRE(!spec.error().details.empty());
  }
}

}  // namespace
