#include "models/aggregate.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <doctest/doctest.h>

#include "models/numbers.hpp"
#include "runtime/random_source.hpp"
#include "tests/models/tensors.hpp"

using namespace dim;
using models::aggregation;
using models::reduced_outputs;
using models::reduction;
using runtime::error_code;

namespace {

reduced_outputs answer(std::uint64_t rows, const std::vector<double>& values) {
  return {{models::tensor_of_doubles("y", {static_cast<std::int64_t>(values.size())}, values)},
          rows};
}

std::vector<double> joined(const models::aggregate_plan& plan,
                           const std::vector<reduced_outputs>& answers) {
  const auto result = models::aggregate(plan, answers);
  REQUIRE(result.has_value());
  return tests::elements_of<double>(result->front());
}

/// Rows of one column, dealt out to nodes.
struct dealt_rows {
  explicit dealt_rows(std::uint64_t seed) : random(seed) {
    for (std::uint64_t node = 0; node < 1 + random.below(8); ++node) {
      std::vector<float> rows;
      for (std::uint64_t row = 0; row < 1 + random.below(50); ++row)
        rows.push_back(static_cast<float>(random.unit() * 10 - 3));
      nodes.push_back(rows);
    }
  }
  static models::tensor column(const std::vector<float>& rows) {
    return tests::floats("y", {static_cast<std::int64_t>(rows.size()), 1}, rows);
  }
  std::vector<reduced_outputs> reduce(const models::reduce_plan& plan) const {
    std::vector<reduced_outputs> answers;
    for (const auto& rows : nodes) {
      auto reducer = models::row_reducer::create(plan, true).value();
      REQUIRE(reducer.add({column(rows)}).has_value());
      answers.push_back(reducer.finish().value());
    }
    return answers;
  }
  models::tensor_list on_one_node(const models::reduce_plan& plan) const {
    auto reducer = models::row_reducer::create(plan, true).value();
    for (const auto& rows : nodes)
      REQUIRE(reducer.add({column(rows)}).has_value());
    return reducer.finish()->outputs;
  }
  runtime::random_source random;
  std::vector<std::vector<float>> nodes;
};

constexpr std::array all_methods{aggregation::weighted_mean, aggregation::mean,
                                 aggregation::median, aggregation::trimmed_mean};

}  // namespace

TEST_CASE("each method joins the nodes' means as its name says") {
  const std::vector<reduced_outputs> answers{answer(1, {10, 0}), answer(3, {2, 4}),
                                             answer(6, {100, -1})};
  const auto with = [&](aggregation method) {
    return joined({method, reduction::mean, 0.34}, answers);
  };
  CHECK(with(aggregation::weighted_mean) == std::vector<double>{61.6, 0.6});
  CHECK(with(aggregation::mean)
        == std::vector<double>{112.0 / 3, 1});
  CHECK(with(aggregation::median) == std::vector<double>{10, 0});
  CHECK(with(aggregation::trimmed_mean) == std::vector<double>{10, 0});
}

TEST_CASE("the median of an even number is the mean of the middle two") {
  CHECK(joined({aggregation::median, reduction::mean, 0},
               {answer(1, {1}), answer(1, {100}), answer(9, {2}), answer(1, {4})})
        == std::vector<double>{3});
  CHECK(joined({aggregation::median, reduction::mean, 0}, {answer(1, {1}), answer(1, {2})})
        == std::vector<double>{1.5});
}

TEST_CASE("the trimmed mean cuts the same number of nodes from each side") {
  std::vector<reduced_outputs> answers;
  for (const double value : {1e9, 1.0, 2.0, 3.0, -1e9})
    answers.push_back(answer(1, {value}));
  CHECK(joined({aggregation::trimmed_mean, reduction::mean, 0.2}, answers)
        == std::vector<double>{2});
  CHECK(joined({aggregation::trimmed_mean, reduction::mean, 0.19}, answers)[0]
        == doctest::Approx(1.2));
  CHECK(joined({aggregation::trimmed_mean, reduction::mean, 0.49}, answers)
        == std::vector<double>{2});
}

TEST_CASE("by default the nodes answer what one node with all rows would have answered") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    const dealt_rows rows(seed);
    for (const auto kind : {reduction::mean, reduction::sum, reduction::min, reduction::max}) {
      const models::reduce_plan plan{kind, 10, 0, 1};
      const double got = joined({aggregation::weighted_mean, kind, 0.2}, rows.reduce(plan))[0];
      const double wanted = tests::elements_of<double>(rows.on_one_node(plan).front())[0];
      CHECK(got == doctest::Approx(wanted).epsilon(1e-14));
    }
  }
}

TEST_CASE("histogram counts are added by every method") {
  const models::reduce_plan plan{reduction::histogram, 7, -1, 5};
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    const dealt_rows rows(seed);
    for (const auto method : all_methods)
      CHECK(models::aggregate({method, reduction::histogram, 0.2}, rows.reduce(plan)).value()
            == rows.on_one_node(plan));
  }
}

TEST_CASE("the order of the nodes changes no bit of the answer") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    runtime::random_source random(seed);
    std::vector<reduced_outputs> answers;
    for (std::uint64_t node = 0; node < 2 + random.below(9); ++node) {
      std::vector<double> values{random.unit() * 1e10 - 5e9, random.unit(),
                                 static_cast<double>(random.below(3)) - 1};
      if (random.below(10) == 0)
        values[random.below(3)] = random.below(2) == 0 ? NAN : INFINITY;
      if (random.below(5) == 0)
        values[2] = -0.0;
      answers.push_back(answer(1 + random.below(1000), values));
    }
    auto shuffled = answers;
    for (std::size_t index = shuffled.size(); index > 1; --index)
      std::swap(shuffled[index - 1], shuffled[random.below(index)]);
    for (const auto method : all_methods)
      for (const auto kind : {reduction::mean, reduction::sum, reduction::min, reduction::max}) {
        const models::aggregate_plan plan{method, kind, 0.2};
        CHECK(models::canonical_digest(models::aggregate(plan, answers).value())
              == models::canonical_digest(models::aggregate(plan, shuffled).value()));
      }
  }
}

TEST_CASE("every answer lies between the least and the greatest of the nodes") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    runtime::random_source random(seed);
    std::vector<reduced_outputs> answers;
    double low = INFINITY;
    double high = -INFINITY;
    for (std::uint64_t node = 0; node < 1 + random.below(9); ++node) {
      const double value = random.unit() * 100 - 50;
      low = std::min(low, value);
      high = std::max(high, value);
      answers.push_back(answer(1 + random.below(1000), {value}));
    }
    for (const auto method : all_methods) {
      const double got = joined({method, reduction::mean, 0.3}, answers)[0];
      CHECK(got >= low - 1e-12);
      CHECK(got <= high + 1e-12);
    }
  }
}

TEST_CASE("nodes without rows do not count, and nobody at all is no answer") {
  CHECK(joined({aggregation::mean, reduction::mean, 0}, {answer(0, {99}), answer(2, {1})})
        == std::vector<double>{1});
  CHECK(models::aggregate({}, {}).error().code == error_code::bad_input);
  CHECK(models::aggregate({}, {answer(0, {1})}).error().code == error_code::bad_input);
}

TEST_CASE("answers of different form are refused") {
  CHECK(models::aggregate({}, {answer(1, {1}), answer(1, {1, 2})}).error().code
        == error_code::bad_model);
  auto renamed = answer(1, {1});
  renamed.outputs.front().name = "z";
  CHECK(models::aggregate({}, {answer(1, {1}), renamed}).error().code == error_code::bad_model);
  auto more = answer(1, {1});
  more.outputs.push_back(renamed.outputs.front());
  CHECK(models::aggregate({}, {answer(1, {1}), more}).error().code == error_code::bad_model);
  const models::aggregate_plan counts{aggregation::mean, reduction::histogram, 0};
  CHECK(models::aggregate(counts, {answer(1, {1})}).error().code == error_code::bad_model);
}

TEST_CASE("a trim that would leave nobody is refused") {
  for (const double trim : {-0.1, 0.5, 1.0, double{NAN}})
    CHECK(models::aggregate({aggregation::trimmed_mean, reduction::mean, trim}, {answer(1, {1})})
            .error()
            .code
          == error_code::bad_input);
}

TEST_CASE("a NaN among the nodes is not hidden by a least or greatest value") {
  const std::vector<reduced_outputs> answers{answer(1, {NAN}), answer(1, {1})};
  for (const auto kind : {reduction::mean, reduction::sum, reduction::min, reduction::max})
    for (const auto method : all_methods)
      CHECK(std::isnan(joined({method, kind, 0.2}, answers)[0]));
}
