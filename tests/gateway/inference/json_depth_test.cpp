#include "gateway/inference/json_depth.hpp"

#include <string>

#include <doctest/doctest.h>

namespace {

using dim::gateway::is_deeper_than;

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

TEST_CASE("depth counts brackets that are open at once, outside of strings") {
  CHECK(!is_deeper_than(nested(3), 3));
  CHECK(is_deeper_than(nested(4), 3));
  CHECK(!is_deeper_than("[[],[],[],{},{}]", 2));
  CHECK(!is_deeper_than(R"(["[[[[", "\"[[[[", "\\"])", 1));
  CHECK(is_deeper_than(R"(["\\", [[]]])", 2));
  CHECK(!is_deeper_than("", 0));
}

TEST_CASE("depth of bytes that are no JSON is found without an end to run over") {
  CHECK(is_deeper_than(std::string(250'000, '['), 100));
  CHECK(!is_deeper_than("]]]][\"", 2));
  CHECK(!is_deeper_than("[[[\"\\", 3));
  CHECK(!is_deeper_than("[]]]]][[", 2));
}

}  // namespace
