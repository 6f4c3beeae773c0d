#include "models/model_spec.hpp"

#include <doctest/doctest.h>

#include "tests/models/tensors.hpp"

using namespace dim;
using tests::any_contains;
using tests::floats;

namespace {

constexpr std::string_view good_config = R"(
name = "digits"
description = "A \"test\"\nof two lines"
max_batch_size = 8
isolation = "thread"
batch_delay_max_us = 500
memory_bytes = 1000

[[inputs]]
name = "x"
datatype = "FP32"
dims = [64]

[[inputs]]
name = "words"
datatype = "INT64"
dims = [-1, 2]

[[outputs]]
name = "scores"
datatype = "FP32"
dims = [3]
labels = ["a", "b", "c"]

[[outputs]]
name = "text"
datatype = "BYTES"
dims = [1]
)";

std::vector<std::string> problems_in(std::string_view text) {
  const auto spec = models::parse_model_spec(text);
  REQUIRE_FALSE(spec.has_value());
  CHECK(spec.error().code == runtime::error_code::bad_input);
  return spec.error().details;
}

std::vector<std::string> check(const models::model_spec& spec, const models::tensor_list& inputs) {
  return models::check_inputs(spec, inputs);
}

}  // namespace

TEST_CASE("a configuration is read in full") {
  const auto spec = models::parse_model_spec(good_config);
  REQUIRE(spec.has_value());
  CHECK(spec->name == "digits");
  CHECK(spec->description == "A \"test\"\nof two lines");
  CHECK(spec->max_batch_size == 8);
  CHECK(spec->isolated == models::isolation::thread);
  CHECK(spec->batch_delay_max_us == 500);
  CHECK(spec->memory_bytes == 1000);
  REQUIRE(spec->inputs.size() == 2);
  CHECK(spec->inputs[1] == models::tensor_spec{"words", models::datatype::int64, {-1, 2}, {}});
  REQUIRE(spec->outputs.size() == 2);
  CHECK(spec->outputs[0].labels == std::vector<std::string>{"a", "b", "c"});
  CHECK(spec->outputs[1].type == models::datatype::bytes);
}

TEST_CASE("a written configuration reads back equal") {
  auto spec = models::parse_model_spec(good_config).value();
  CHECK(models::parse_model_spec(models::to_toml(spec)).value() == spec);
  spec.description = "tab\there, bell\x07, \\ and \"quotes\", and an umlaut: \xc3\xbc";
  spec.name.clear();
  spec.max_batch_size = 0;
  spec.inputs.front().dims.clear();
  spec.isolated = models::isolation::process;
  CHECK(models::parse_model_spec(models::to_toml(spec)).value() == spec);
}

TEST_CASE("what is left out has its default") {
  const auto spec = models::parse_model_spec(
    "[[inputs]]\nname='x'\ndatatype='FP32'\ndims=[]\n[[outputs]]\nname='y'\n"
    "datatype='FP32'\ndims=[2]\n");
  REQUIRE(spec.has_value());
  CHECK(spec->max_batch_size == 0);
  CHECK(spec->isolated == models::isolation::process);
  CHECK(spec->name.empty());
}

TEST_CASE("every problem of a configuration is named at once, with line and key") {
  const auto problems = problems_in(R"(name = "../up"
max_batch_size = -1
isolation = "docker"
colour = "red"
memory_bytes = "much"

[[inputs]]
name = "x"
datatype = "float"
dims = [0, 3]

[[inputs]]
name = "x"
dims = "wide"

[[outputs]]
name = "y"
datatype = "FP32"
dims = [3]
labels = ["a", "b"]
)");
  CHECK(any_contains(problems, "line 1: name: expected 1 to 128"));
  CHECK(any_contains(problems, "line 2: max_batch_size: expected a whole number from 0"));
  CHECK(any_contains(problems, "line 3: isolation: expected"));
  CHECK(any_contains(problems, "line 4: colour: is not known"));
  CHECK(any_contains(problems, "line 5: memory_bytes: expected a whole number"));
  CHECK(any_contains(problems, "line 9: inputs[0].datatype: \"float\" is no datatype"));
  CHECK(any_contains(problems, "line 10: inputs[0].dims: expected sizes of 1 or more"));
  CHECK(any_contains(problems, "line 13: inputs[1].name: \"x\" is declared twice"));
  CHECK(any_contains(problems, "inputs[1].datatype: is missing"));
  CHECK(any_contains(problems, "line 14: inputs[1].dims: expected a list of whole numbers"));
  CHECK(any_contains(problems, "line 20: outputs[0].labels: expected 3 labels"));
  CHECK(problems.size() == 11);
}

TEST_CASE("a warm-up that no request could be is refused with the configuration") {
  const auto with = [](const std::string& keys) {
    return std::string{good_config} + "[[warm_up]]\nrows = 8\n[[warm_up]]\n" + keys + "\n";
  };
  CHECK(models::parse_model_spec(with("dims = { x = [64] }")).has_value());
  CHECK(problems_in(with("rows = 9"))
        == std::vector<std::string>{"warm_up[1].rows: expected 1 to 8, got 9"});
  CHECK(problems_in(with("dims = { z = [64] }"))
        == std::vector<std::string>{"warm_up[1].dims: the model has no input \"z\""});
}

TEST_CASE("a configuration without inputs or outputs is refused") {
  const auto problems = problems_in("max_batch_size = 1\n");
  CHECK(any_contains(problems, "inputs: at least one is needed"));
  CHECK(any_contains(problems, "outputs: at least one is needed"));
  CHECK(any_contains(problems_in("inputs = 3\noutputs = [1]\n"), "inputs: expected tables"));
}

TEST_CASE("a syntax error is named with its line") {
  CHECK(any_contains(problems_in("max_batch_size = 1\nname = \n"), "line 2: "));
  CHECK_FALSE(problems_in("\xff\xfe").empty());
}

TEST_CASE("names of models can not lead out of their folder") {
  CHECK(models::is_model_name("digits-mlp_1.2"));
  CHECK(models::is_model_name(std::string(128, 'a')));
  for (const std::string_view name : {"", ".hidden", "..", "a/b", "a b", "-x", "a\n", "\xc3\xbc"})
    CHECK_FALSE_MESSAGE(models::is_model_name(name), name);
  CHECK_FALSE(models::is_model_name(std::string(129, 'a')));
}

TEST_CASE("versions are whole numbers from 1 up") {
  for (const std::string_view version : {"1", "10", "999999999999999999"})
    CHECK_MESSAGE(models::is_version(version), version);
  for (const std::string_view version : {"", "0", "01", "-1", "1.0", "v1", "9999999999999999999"})
    CHECK_FALSE_MESSAGE(models::is_version(version), version);
}

TEST_CASE("inputs that fit are accepted in any order") {
  auto spec = tests::simple_spec(2, 1, 4);
  spec.inputs.push_back({"n", models::datatype::int64, {-1}, {}});
  const auto x = floats("x", {3, 2}, {1, 2, 3, 4, 5, 6});
  const auto n = tests::integers("n", {3, 1}, {1, 2, 3});
  CHECK(check(spec, {x, n}).empty());
  CHECK(check(spec, {n, x}).empty());
  CHECK(check(spec, {models::detached(x), n}).empty());
  CHECK(models::row_count(spec, {x, n}) == 3);
}

TEST_CASE("each problem of an input is named with its path") {
  const auto spec = tests::simple_spec(64, 1, 8);
  const auto only = [&](const models::tensor_list& inputs) {
    const auto problems = check(spec, inputs);
    REQUIRE(problems.size() == 1);
    return problems.front();
  };
  CHECK(only({floats("x", {1, 63}, std::vector<float>(63))})
        == "inputs[0].shape[1]: expected 64, got 63");
  CHECK(only({floats("x", {64}, std::vector<float>(64))})
        == "inputs[0].shape: expected 2 dimensions, got 1");
  CHECK(only({floats("x", {9, 64}, std::vector<float>(9 * 64))})
        == "inputs[0].shape[0]: expected 1 to 8 rows, got 9");
  CHECK(only({floats("x", {0, 64}, {})}) == "inputs[0].shape[0]: expected 1 to 8 rows, got 0");
  CHECK(only({tests::integers("x", {1, 64}, std::vector<std::int64_t>(64))})
        == "inputs[0].datatype: expected FP32, got INT64");
  CHECK(only({floats("x", {1, 64}, {1, 2})})
        == "inputs[0].data: x: expected 64 elements of 4 bytes, got 8 bytes");
  CHECK(only({}) == "inputs: \"x\" is missing");
  auto short_one = models::detached(floats("x", {1, 64}, std::vector<float>(64)));
  short_one.byte_size = 255;
  CHECK(only({short_one}) == "inputs[0].data: expected 64 elements of 4 bytes, got 255 bytes");
}

TEST_CASE("several problems of the inputs are all named") {
  auto spec = tests::simple_spec(2, 1, 8);
  spec.inputs.push_back({"n", models::datatype::int64, {1}, {}});
  const auto x = floats("x", {1, 2}, {1, 2});
  const auto problems = check(spec, {floats("z", {1}, {1}), x, x});
  CHECK(any_contains(problems, "inputs[0].name: the model has no input \"z\"; it has x, n"));
  CHECK(any_contains(problems, "inputs[2].name: \"x\" is given twice"));
  CHECK(any_contains(problems, "inputs: \"n\" is missing"));
  CHECK(problems.size() == 3);
}

TEST_CASE("inputs of one request must have equally many rows") {
  auto spec = tests::simple_spec(2, 1, 8);
  spec.inputs.push_back({"n", models::datatype::int64, {1}, {}});
  const auto problems =
    check(spec, {floats("x", {2, 2}, {1, 2, 3, 4}), tests::integers("n", {3, 1}, {1, 2, 3})});
  CHECK(problems
        == std::vector<std::string>{"inputs[1].shape[0]: expected 2 rows as in inputs[0], got 3"});
}

TEST_CASE("a model without batch dimension takes the declared shape itself") {
  const auto spec = tests::simple_spec(2, 1, 0);
  CHECK(check(spec, {floats("x", {2}, {1, 2})}).empty());
  CHECK(models::row_count(spec, {floats("x", {2}, {1, 2})}) == 1);
  CHECK_FALSE(check(spec, {floats("x", {1, 2}, {1, 2})}).empty());
}

TEST_CASE("a dimension of any size takes zero and more, but nothing negative") {
  auto spec = tests::simple_spec(-1, 1, 0);
  CHECK(check(spec, {floats("x", {0}, {})}).empty());
  CHECK(check(spec, {floats("x", {5}, {1, 2, 3, 4, 5})}).empty());
  auto negative = floats("x", {5}, {1, 2, 3, 4, 5});
  negative.shape = {-5};
  CHECK(any_contains(check(spec, {negative}), "inputs[0].shape[0]: expected 0 or more, got -5"));
}

TEST_CASE("optional inputs may be missing, and others may not") {
  auto spec = tests::simple_spec(1, 1, 8);
  spec.inputs.push_back({"n", models::datatype::int64, {1}, {}, true});
  CHECK(check(spec, {tests::floats("x", {2, 1}, {1, 2})}).empty());
  CHECK(tests::any_contains(check(spec, {tests::integers("n", {1, 1}, {1})}), "\"x\" is missing"));
  spec.inputs.front().is_optional = true;
  CHECK(check(spec, {tests::integers("n", {1, 1}, {1})}).empty());
  CHECK(check(spec, {}) == std::vector<std::string>{"inputs: expected at least one of x, n"});
}

TEST_CASE("a shape beyond all memory is refused without overflow") {
  auto spec = tests::simple_spec(-1, 1, 0);
  spec.inputs.front().dims = {-1, -1};
  auto huge = floats("x", {1, 1}, {1});
  huge.shape = {std::int64_t{1} << 62, std::int64_t{1} << 62};
  CHECK(any_contains(check(spec, {huge}), "too many elements"));
  huge = models::detached(huge);
  CHECK(any_contains(check(spec, {huge}), "too many elements"));
}
