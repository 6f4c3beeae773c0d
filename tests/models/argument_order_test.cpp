#include "models/argument_order.hpp"

#include <doctest/doctest.h>

using namespace dim;
using models::argument_order;
using order = std::vector<std::size_t>;

namespace {

std::vector<models::tensor_spec> named(const std::vector<std::string>& names) {
  std::vector<models::tensor_spec> tensors;
  for (const std::string& name : names)
    tensors.push_back({name, models::datatype::fp32, {1}, {}});
  return tensors;
}

}  // namespace

TEST_CASE("numbers behind the names tell the places, whatever the order of the declaration") {
  CHECK(argument_order(named({"INPUT__1", "INPUT__0"}), {"x", "y"}) == order{1, 0});
  CHECK(argument_order(named({"a__2", "b__0", "c__1"}), {}) == order{1, 2, 0});
}

TEST_CASE("names of forward's arguments tell the places when they are the first of them") {
  CHECK(argument_order(named({"mask", "x"}), {"x", "mask"}) == order{1, 0});
  CHECK(argument_order(named({"mask", "x"}), {"x", "mask", "scale"}) == order{1, 0});
  CHECK(argument_order(named({"scale", "x"}), {"x", "mask", "scale"}) == order{0, 1});
}

TEST_CASE("other names stand in the order of the declaration") {
  CHECK(argument_order(named({"b", "a"}), {"x", "y"}) == order{0, 1});
  CHECK(argument_order(named({"b__1", "a__1"}), {}) == order{0, 1});
  CHECK(argument_order(named({"b__0", "a__x"}), {}) == order{0, 1});
  CHECK(argument_order(named({"a__", "b__7"}), {}) == order{0, 1});
  CHECK(argument_order(named({"a__5"}), {}) == order{0});
}
