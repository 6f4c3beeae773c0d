#include "runtime/shared_text.hpp"

#include <doctest/doctest.h>

using dim::runtime::shared_text;

TEST_CASE("a shared text reads like a string, and copies share its bytes") {
  shared_text text{"a text that is too long to be kept in place"};
  auto copy = text;
  CHECK(copy == text);
  CHECK(copy.str().data() == text.str().data());
  const std::string& read = copy;
  CHECK(read == "a text that is too long to be kept in place");
  CHECK_FALSE(copy.empty());
}

TEST_CASE("shared texts are equal when they read the same") {
  CHECK(shared_text{"a"} == shared_text{std::string{"a"}});
  CHECK(shared_text{"a"} == "a");
  CHECK(shared_text{"a"} == std::string{"a"});
  CHECK_FALSE(shared_text{"a"} == shared_text{"b"});
  CHECK(shared_text{} == shared_text{""});
  CHECK(shared_text{""}.empty());
  CHECK(shared_text{}.str().empty());
}
