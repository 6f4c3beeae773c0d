#include "models/batch.hpp"

#include <doctest/doctest.h>

#include "runtime/digest.hpp"
#include "runtime/random_source.hpp"
#include "tests/models/tensors.hpp"

using namespace dim;
using tests::floats;

namespace {

models::tensor_list request(std::int64_t rows, float first) {
  std::vector<float> elements;
  for (std::int64_t index = 0; index < rows * 2; ++index)
    elements.push_back(first + static_cast<float>(index));
  return {floats("x", {rows, 2}, elements)};
}

}  // namespace

TEST_CASE("requests are joined in their order and split back to the same bytes") {
  const auto spec = tests::simple_spec(2, 2, 64);
  const std::vector<models::tensor_list> requests{request(1, 0), request(3, 10), request(2, 20)};
  const auto batch = models::join_batch(spec, requests);
  REQUIRE(batch.has_value());
  CHECK(batch->rows == std::vector<std::int64_t>{1, 3, 2});
  CHECK(batch->inputs.front().shape == std::vector<std::int64_t>{6, 2});
  CHECK(tests::elements_of<float>(batch->inputs.front())
        == std::vector<float>{0, 1, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23});
  CHECK(models::check_size(batch->inputs.front()).has_value());
  const auto answers = models::split_batch(batch->inputs, batch->rows);
  REQUIRE(answers.has_value());
  CHECK(*answers == requests);
}

TEST_CASE("one request alone is passed through without a copy, both ways") {
  const auto spec = tests::simple_spec(2, 2, 64);
  const auto alone = request(2, 1);
  const auto batch = models::join_batch(spec, {alone});
  REQUIRE(batch.has_value());
  CHECK(batch->inputs.front().data.data() == alone.front().data.data());
  auto outputs = alone;
  outputs.front().digest.clear();
  outputs.front().byte_size = 0;
  const auto answers = models::split_batch(outputs, batch->rows);
  REQUIRE(answers.has_value());
  CHECK(answers->front().front().data.data() == alone.front().data.data());
  CHECK(answers->front().front().digest == alone.front().digest);
  CHECK(answers->front().front().byte_size == alone.front().byte_size);
}

TEST_CASE("inputs come out in the declared order, whatever order a request has") {
  auto spec = tests::simple_spec(1, 1, 8);
  spec.inputs.push_back({"n", models::datatype::int64, {1}, {}});
  const auto x = floats("x", {1, 1}, {1});
  const auto n = tests::integers("n", {1, 1}, {2});
  const auto batch = models::join_batch(spec, {{n, x}, {x, n}});
  REQUIRE(batch.has_value());
  REQUIRE(batch->inputs.size() == 2);
  CHECK(batch->inputs[0].name == "x");
  CHECK(tests::elements_of<std::int64_t>(batch->inputs[1]) == std::vector<std::int64_t>{2, 2});
}

TEST_CASE("requests are joined only when they have the same optional inputs") {
  auto spec = tests::simple_spec(1, 1, 8);
  spec.inputs.push_back({"n", models::datatype::int64, {1}, {}, true});
  const models::tensor_list with{floats("x", {1, 1}, {1}), tests::integers("n", {1, 1}, {2})};
  const models::tensor_list without{floats("x", {1, 1}, {1})};
  CHECK(models::can_join(spec, with, with));
  CHECK(models::can_join(spec, without, without));
  CHECK_FALSE(models::can_join(spec, with, without));
  const auto batch = models::join_batch(spec, {without, without});
  REQUIRE(batch.has_value());
  CHECK(batch->inputs.size() == 1);
  CHECK(models::join_batch(spec, {with, with})->inputs.size() == 2);
  CHECK(models::join_batch(spec, {with, without}).error().code == runtime::error_code::bad_input);
  CHECK(models::join_batch(spec, {without, with}).error().code == runtime::error_code::bad_input);
}

TEST_CASE("requests of other row shapes can not be joined") {
  const auto spec = tests::simple_spec(-1, 1, 8);
  const models::tensor_list narrow{floats("x", {1, 2}, {1, 2})};
  const models::tensor_list wide{floats("x", {1, 3}, {1, 2, 3})};
  CHECK(models::can_join(spec, narrow, narrow));
  CHECK_FALSE(models::can_join(spec, narrow, wide));
  CHECK(models::join_batch(spec, {narrow, wide}).error().code == runtime::error_code::bad_input);
}

TEST_CASE("a model without batch dimension takes one request") {
  const auto spec = tests::simple_spec(2, 1, 0);
  const models::tensor_list one{floats("x", {2}, {1, 2})};
  CHECK_FALSE(models::can_join(spec, one, one));
  const auto batch = models::join_batch(spec, {one});
  REQUIRE(batch.has_value());
  CHECK(batch->rows == std::vector<std::int64_t>{1});
  CHECK(models::split_batch({floats("y", {}, {5})}, batch->rows).has_value());
  CHECK_FALSE(models::join_batch(spec, {one, one}).has_value());
  CHECK_FALSE(models::join_batch(spec, {}).has_value());
}

TEST_CASE("a missing, detached or short input can not be joined") {
  const auto spec = tests::simple_spec(2, 1, 8);
  CHECK_FALSE(models::join_batch(spec, {{floats("z", {1, 2}, {1, 2})}}).has_value());
  CHECK_FALSE(
    models::join_batch(spec, {{models::detached(floats("x", {1, 2}, {1, 2}))}}).has_value());
  CHECK_FALSE(
    models::join_batch(spec, {request(1, 0), {floats("x", {2, 2}, {1, 2})}}).has_value());
}

TEST_CASE("outputs without a row for each input row are a defect of the model") {
  const auto answers = models::split_batch({floats("y", {3, 1}, {1, 2, 3})}, {1, 1});
  CHECK(answers.error().code == runtime::error_code::bad_model);
  CHECK(models::split_batch({floats("y", {}, {1})}, {1, 1}).error().code
        == runtime::error_code::bad_model);
}

TEST_CASE("BYTES outputs are split at their elements") {
  const auto all = tests::texts("t", {3, 2}, {"a", "", "ccc", "dd", "e", "ffff"});
  const auto answers = models::split_batch({all}, {1, 2});
  REQUIRE(answers.has_value());
  CHECK((*answers)[0].front() == tests::texts("t", {1, 2}, {"a", ""}));
  CHECK((*answers)[1].front() == tests::texts("t", {2, 2}, {"ccc", "dd", "e", "ffff"}));
}

TEST_CASE("rows are taken with their digest, and never beyond the end") {
  const models::tensor_list all{floats("y", {4, 1}, {1, 2, 3, 4})};
  const auto middle = models::take_rows(all, 1, 2);
  REQUIRE(middle.has_value());
  CHECK(middle->front() == floats("y", {2, 1}, {2, 3}));
  CHECK(models::take_rows(all, 2, 0)->front() == floats("y", {0, 1}, {}));
  CHECK_FALSE(models::take_rows(all, 3, 2).has_value());
  CHECK_FALSE(models::take_rows(all, -1, 2).has_value());
  CHECK_FALSE(models::take_rows({floats("y", {}, {1})}, 0, 1).has_value());
}

TEST_CASE("joining and splitting any number of requests gives back each request") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    runtime::random_source random(seed);
    const auto spec = tests::simple_spec(2, 2, 1000);
    std::vector<models::tensor_list> requests;
    for (std::uint64_t count = 1 + random.below(6); count > 0; --count)
      requests.push_back(request(static_cast<std::int64_t>(1 + random.below(5)),
                                 static_cast<float>(random.below(100))));
    const auto batch = models::join_batch(spec, requests);
    REQUIRE(batch.has_value());
    const auto answers = models::split_batch(batch->inputs, batch->rows);
    REQUIRE(answers.has_value());
    CHECK(*answers == requests);
  }
}
