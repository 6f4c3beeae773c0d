#include "models/reduce.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "runtime/random_source.hpp"
#include "tests/models/tensors.hpp"

using namespace dim;
using models::reduction;
using models::row_reducer;
using runtime::error_code;
using tests::floats;

namespace {

row_reducer reducer_of(reduction kind, bool batched = true) {
  return row_reducer::create({kind, 4, 0, 8}, batched).value();
}

/// The first output, reduced over these batches.
std::vector<double> reduced(reduction kind, const std::vector<models::tensor>& batches) {
  auto reducer = reducer_of(kind);
  for (const models::tensor& batch : batches)
    REQUIRE(reducer.add({batch}).has_value());
  return tests::elements_of<double>(reducer.finish()->outputs.front());
}

}  // namespace

TEST_CASE("each reduction goes element by element over the rows of all batches") {
  const std::vector<models::tensor> batches{floats("y", {2, 2}, {1, -2, 3, 4}),
                                            floats("y", {1, 2}, {5, 1})};
  CHECK(reduced(reduction::mean, batches) == std::vector<double>{3, 1});
  CHECK(reduced(reduction::sum, batches) == std::vector<double>{9, 3});
  CHECK(reduced(reduction::min, batches) == std::vector<double>{1, -2});
  CHECK(reduced(reduction::max, batches) == std::vector<double>{5, 4});
}

TEST_CASE("only reduced tensors and the number of rows come out") {
  auto reducer = reducer_of(reduction::mean);
  REQUIRE(reducer.add({floats("y", {2, 1, 3}, {1, 2, 3, 4, 5, 6}),
                       tests::integers("n", {2}, {10, 20})})
            .has_value());
  const auto result = reducer.finish();
  REQUIRE(result.has_value());
  CHECK(result->rows == 2);
  REQUIRE(result->outputs.size() == 2);
  CHECK(result->outputs[0].name == "y");
  CHECK(result->outputs[0].type == models::datatype::fp64);
  CHECK(result->outputs[0].shape == std::vector<std::int64_t>{1, 3});
  CHECK(result->outputs[1].shape == std::vector<std::int64_t>{1});
  CHECK(tests::elements_of<double>(result->outputs[1]) == std::vector<double>{15});
}

TEST_CASE("a histogram counts every element, and those outside beside it") {
  auto reducer = reducer_of(reduction::histogram);
  REQUIRE(reducer.add({floats("y", {2, 5}, {0, 1.9F, 2, 7.9F, 8, -0.1F, 8.1F, NAN, INFINITY,
                                            -INFINITY})})
            .has_value());
  const auto result = reducer.finish();
  REQUIRE(result.has_value());
  REQUIRE(result->outputs.size() == 2);
  CHECK(result->outputs[0] == tests::integers("y", {4}, {2, 1, 0, 2}));
  CHECK(result->outputs[1] == tests::integers("y.outside", {3}, {2, 2, 1}));
}

TEST_CASE("a NaN makes its own column NaN and no other") {
  for (const auto kind : {reduction::mean, reduction::sum, reduction::min, reduction::max}) {
    const auto values = reduced(kind, {floats("y", {2, 2}, {NAN, 1, 2, 1})});
    CHECK(std::isnan(values[0]));
    CHECK(std::isfinite(values[1]));
  }
  CHECK(reduced(reduction::sum, {floats("y", {2, 1}, {INFINITY, 1})})[0] == INFINITY);
}

TEST_CASE("sums of many rows lose nothing that plain sums lose") {
  auto reducer = reducer_of(reduction::mean);
  const double tiny = 1e-16;
  std::vector<double> rows(1000, tiny);
  rows.front() = 1;
  REQUIRE(reducer.add({tests::tensor_of<double>("y", models::datatype::fp64, {1000, 1}, rows)})
            .has_value());
  const auto mean = tests::elements_of<double>(reducer.finish()->outputs.front()).front();
  CHECK(mean * 1000 == doctest::Approx(1 + 999 * tiny).epsilon(1e-16));
  CHECK(mean * 1000 > 1);
}

TEST_CASE("the split into batches does not change the answer beyond rounding") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    runtime::random_source random(seed);
    std::vector<float> all(300);
    for (float& value : all)
      value = static_cast<float>(random.unit() * 8 - 1);
    for (const auto kind : {reduction::mean, reduction::sum, reduction::min, reduction::max}) {
      auto reducer = reducer_of(kind);
      for (std::size_t row = 0; row < 100;) {
        const std::size_t count = std::min<std::size_t>(1 + random.below(30), 100 - row);
        const auto begin = all.begin() + static_cast<std::ptrdiff_t>(row * 3);
        REQUIRE(reducer
                  .add({floats("y", {static_cast<std::int64_t>(count), 3},
                               {begin, begin + static_cast<std::ptrdiff_t>(count * 3)})})
                  .has_value());
        row += count;
      }
      const auto pieces = tests::elements_of<double>(reducer.finish()->outputs.front());
      const auto whole = reduced(kind, {floats("y", {100, 3}, all)});
      for (std::size_t element = 0; element < 3; ++element)
        CHECK(pieces[element] == doctest::Approx(whole[element]).epsilon(1e-15));
    }
  }
}

TEST_CASE("outputs that change their form between batches are refused, and change nothing") {
  auto reducer = reducer_of(reduction::sum);
  REQUIRE(reducer.add({floats("y", {1, 2}, {1, 2})}).has_value());
  CHECK(reducer.add({floats("y", {1, 3}, {1, 2, 3})}).error().code == error_code::bad_model);
  CHECK(reducer.add({floats("z", {1, 2}, {1, 2})}).error().code == error_code::bad_model);
  CHECK(reducer.add({}).error().code == error_code::bad_model);
  CHECK(reducer.add({floats("y", {1, 2}, {1, 2}), floats("z", {2, 1}, {1, 2})}).error().code
        == error_code::bad_model);
  CHECK(reducer.add({floats("y", {2, 2}, {1, 2})}).error().code == error_code::bad_input);
  CHECK(reducer.rows() == 1);
  CHECK(tests::elements_of<double>(reducer.finish()->outputs.front())
        == std::vector<double>{1, 2});
}

TEST_CASE("texts can not be reduced, and neither can nothing") {
  auto reducer = reducer_of(reduction::mean);
  CHECK(reducer.add({tests::texts("t", {1}, {"a"})}).error().code == error_code::unsupported);
  CHECK(reducer.finish().error().code == error_code::bad_input);
  REQUIRE(reducer.add({floats("y", {0, 2}, {})}).has_value());
  CHECK(reducer.finish().error().code == error_code::bad_input);
  REQUIRE(reducer.add({floats("y", {1, 2}, {1, 2})}).has_value());
  CHECK(reducer.finish()->rows == 1);
}

TEST_CASE("an output of a model without batch dimension is one row") {
  auto reducer = reducer_of(reduction::sum, false);
  REQUIRE(reducer.add({floats("y", {2}, {1, 2})}).has_value());
  REQUIRE(reducer.add({floats("y", {2}, {3, 4})}).has_value());
  CHECK(reducer.finish()->rows == 2);
  CHECK(tests::elements_of<double>(reducer.finish()->outputs.front())
        == std::vector<double>{4, 6});
}

TEST_CASE("histograms without bins or sensible bounds are refused") {
  const auto code = [](std::uint32_t bins, double low, double high) {
    return row_reducer::create({reduction::histogram, bins, low, high}, true).error().code;
  };
  CHECK(code(0, 0, 1) == error_code::bad_input);
  CHECK(code(10'001, 0, 1) == error_code::bad_input);
  CHECK(code(10, 1, 1) == error_code::bad_input);
  CHECK(code(10, 0, INFINITY) == error_code::bad_input);
  CHECK(code(10, NAN, 1) == error_code::bad_input);
  CHECK(row_reducer::create({reduction::histogram, 10'000, -1, 1}, true).has_value());
}
