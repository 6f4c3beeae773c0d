#include "models/serving_wishes.hpp"

#include <doctest/doctest.h>

#include "tests/models/tensors.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace dim;
using namespace dim::models;

TEST_CASE("wishes are read back as they were written, whatever text a configuration holds") {
  const tests::temporary_folder folder;
  serving_wishes wishes;
  wishes.models["a"] = {true, {1, 3}, "{\"name\": \"a\",\n\t\"x\": \"'''\\\\ \xc3\xa4\"}"};
  wishes.models["b"] = {false, {}, ""};
  wishes.aliases["best"] = {"a", "3"};
  wishes.aliases["any"] = {"b", ""};
  const auto path = folder / ".serving";
  REQUIRE(write_serving_wishes(path, wishes));
  const auto read = read_serving_wishes(path);
  REQUIRE(read);
  CHECK(*read == wishes);
  REQUIRE(write_serving_wishes(path, {}));
  CHECK(*read_serving_wishes(path) == serving_wishes{});
}

TEST_CASE("a file of wishes that is not there holds none, and a broken one is refused") {
  const tests::temporary_folder folder;
  CHECK(*read_serving_wishes(folder / "none") == serving_wishes{});
  tests::write_file(folder / "broken", "[[models]]\nname = \"../x\"\nloaded = 3\n");
  const auto read = read_serving_wishes(folder / "broken");
  CHECK(read.error().code == runtime::error_code::bad_input);
  CHECK(tests::any_contains(read.error().details, "models[0].name"));
  CHECK(tests::any_contains(read.error().details, "models[0].loaded"));
}

TEST_CASE("of a file that keeps revisions with its wishes they are read, and not written again") {
  const tests::temporary_folder folder;
  const auto path = folder / ".serving";
  tests::write_file(path, "[[models]]\nname = \"a\"\nloaded = true\nrevision = 7\nversions = [1]\n"
                          "config = \"\"\n");
  const auto read = read_serving_wishes(path);
  REQUIRE(read);
  CHECK(read->models.at("a") == model_wish{true, {1}, "", 7});
  REQUIRE(write_serving_wishes(path, *read));
  CHECK(read_serving_wishes(path)->models.at("a") == model_wish{true, {1}, "", 0});
}
