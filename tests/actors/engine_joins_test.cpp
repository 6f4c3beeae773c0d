#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "actors/engine/join/agreement_graph.hpp"
#include "actors/engine/join/step_inputs.hpp"
#include "actors/engine/join/vote.hpp"
#include "actors/engine/output_loader.hpp"
#include "tests/actors/engine_support.hpp"

using namespace dim;
using namespace dim::actors;
using namespace dim::tests;
using runtime::error_code;

namespace {

/// Numbers on a line that agree when they are at most 1 apart.
agreement_graph graph_of(const std::vector<double>& numbers,
                         const std::vector<std::string>& digests) {
  agreement_graph graph;
  for (auto& digest : digests)
    graph.add(digest, [&](std::size_t one, std::size_t other) {
      const auto distance = std::abs(numbers[one] - numbers[other]);
      return models::agreement{distance <= 1, distance};
    });
  return graph;
}

doctest::Approx share(double value) {
  return doctest::Approx{value}.epsilon(1e-12);
}

}  // namespace

TEST_CASE("agreement is not transitive: the middle answer is the canonical one") {
  auto found = graph_of({0.0, 0.9, 1.8}, {"a", "b", "c"}).find();
  CHECK(found.canonical == 1);
  CHECK(found.support == 3);
  CHECK(found.agrees == std::vector<bool>{true, true, true});
}

TEST_CASE("agreeing with one that agrees is not enough: the tolerance is that of the canonical") {
  auto found = graph_of({0.0, 0.6, 1.2, 2.1}, {"a", "b", "c", "d"}).find();
  CHECK(found.canonical == 1);
  CHECK(found.support == 3);
  CHECK(found.agrees == std::vector<bool>{true, true, true, false});
}

TEST_CASE("of equally supported answers the one nearest to its supporters wins, then the digest") {
  CHECK(graph_of({0.0, 0.2, 1.0}, {"a", "b", "c"}).find().canonical == 1);
  CHECK(graph_of({0.0, 0.5}, {"b", "a"}).find().canonical == 1);
  CHECK(graph_of({0.0, 0.5}, {"a", "b"}).find().canonical == 0);
}

TEST_CASE("equal digests agree without being compared, and every other pair is compared once") {
  agreement_graph graph;
  int comparisons = 0;
  const auto never = [&](std::size_t, std::size_t) {
    ++comparisons;
    return models::agreement{false, 1.0};
  };
  for (auto digest : {"a", "a", "b", "a", "b"})
    graph.add(digest, never);
  CHECK(comparisons == 1);
  CHECK(graph.find().support == 3);
  CHECK(graph.compared(1, 3).agree);
  CHECK_FALSE(graph.compared(3, 4).agree);
  CHECK_FALSE(graph.compared(4, 3).agree);
  CHECK(graph.first_with("b") == 2);
}

TEST_CASE("a graph without answers has no support") {
  CHECK(agreement_graph{}.find().support == 0);
}

TEST_CASE("the majority is the label with the most votes, whatever the weights") {
  auto outcome = count_votes(vote_method::majority, {{"7", 9.0}, {"1", 1.0}, {"1", 1.0}});
  CHECK(outcome.label == "1");
  CHECK_FALSE(outcome.tied);
  CHECK(outcome.share == share(2.0 / 3));
}

TEST_CASE("the weighted vote goes to the greatest sum of weights") {
  auto outcome = count_votes(vote_method::weighted, {{"7", 3.0}, {"1", 1.0}, {"1", 1.0}});
  CHECK(outcome.label == "7");
  CHECK(outcome.share == share(0.6));
}

TEST_CASE("a tie is told, with rounding forgiven, and names the lowest label") {
  CHECK(count_votes(vote_method::majority, {{"b", 1}, {"a", 1}, {"c", 1}}).tied);
  auto outcome = count_votes(vote_method::weighted, {{"b", 0.3}, {"a", 0.1}, {"a", 0.2}});
  CHECK(outcome.tied);
  CHECK(outcome.label == "a");
}

TEST_CASE("votes without weight win nothing") {
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  auto outcome = count_votes(vote_method::weighted, {{"a", 0.0}, {"b", -1.0}, {"c", nan}});
  CHECK(outcome.share == 0.0);
  CHECK(count_votes(vote_method::majority, {}).share == 0.0);
}

TEST_CASE("a step's inputs come by map, by equal name, or one from one") {
  auto model = model_of(2, 2);
  auto by_single = make_step_inputs({}, model, {floats("anything", {1, 2})});
  REQUIRE(by_single);
  CHECK(by_single->front() == floats("x", {1, 2}));
  auto by_name = make_step_inputs({}, model, {floats("other", {1, 2}), floats("x", {3, 4})});
  REQUIRE(by_name);
  CHECK(by_name->size() == 1);
  CHECK(by_name->front() == floats("x", {3, 4}));
  step_spec mapped;
  mapped.input_map = {{"x", "other"}};
  auto by_map = make_step_inputs(mapped, model, {floats("other", {1, 2}), floats("x", {3, 4})});
  REQUIRE(by_map);
  CHECK(by_map->front() == floats("x", {1, 2}));
}

TEST_CASE("an optional input that the step before does not give is left out, unless it is mapped") {
  auto model = model_of(2, 2);
  model.inputs.push_back({"z", models::datatype::fp32, {2}, {}, true});
  auto inputs = make_step_inputs({}, model, {floats("x", {1, 2}), floats("v", {1, 2})});
  REQUIRE(inputs);
  CHECK(inputs->size() == 1);
  CHECK(make_step_inputs({}, model, {floats("x", {1, 2}), floats("z", {1, 2})})->size() == 2);
  step_spec step;
  step.input_map = {{"z", "nothing"}};
  CHECK(make_step_inputs(step, model, {floats("x", {1, 2})}).error().details
        == std::vector<std::string>{"input z: the step before has no output nothing"});
}

TEST_CASE("detached outputs become detached inputs") {
  auto inputs = make_step_inputs({}, model_of(2, 2), all_detached({floats("y", {1, 2})}));
  REQUIRE(inputs);
  CHECK(inputs->front().is_detached());
  CHECK(inputs->front().name == "x");
}

TEST_CASE("every problem between two steps is told") {
  auto model = model_of(2, 2);
  model.inputs.push_back({"z", models::datatype::fp32, {2}, {}});
  step_spec step;
  step.input_map = {{"x", "nothing"}, {"w", "y"}};
  auto inputs = make_step_inputs(step, model, {floats("y", {1, 2}), floats("v", {1, 2})});
  REQUIRE_FALSE(inputs);
  CHECK(inputs.error().code == error_code::bad_input);
  CHECK(inputs.error().details
        == std::vector<std::string>{"input_map.w: the model has no such input",
                                    "input x: the step before has no output nothing",
                                    "input z: the step before has no output z"});
}

TEST_CASE("an output of another shape or datatype does not fit") {
  CHECK_FALSE(make_step_inputs({}, model_of(2, 2), {floats("y", {1, 2, 3})}));
  auto wrong_type = make_step_inputs({}, model_of(2, 2), {integers("y", {1, 2})});
  REQUIRE_FALSE(wrong_type);
  CHECK(wrong_type.error().details.size() == 1);
}

TEST_CASE("a loader asks chunk by chunk and gives back the bytes it was asked for") {
  std::vector<float> numbers(700'000, 1.5F);
  const models::tensor_list whole{floats("a", {1, 2}), floats("b", numbers), floats("c", {3})};
  output_loader loader{{whole[0], models::detached(whole[1]), models::detached(whole[2])}};
  std::size_t chunks = 0;
  while (auto wanted = loader.next()) {
    ++chunks;
    CHECK(wanted->length <= 1 << 20);
    auto& source = wanted->digest == whole[1].digest ? whole[1] : whole[2];
    auto part = source.data.view().substr(wanted->offset, wanted->length);
    REQUIRE(loader.take({runtime::bytes::copy_of(part), source.byte_size}));
  }
  CHECK(chunks == 4);
  CHECK(loader.finish() == whole);
}

TEST_CASE("a loader refuses chunks that are empty, too long or not what was asked for") {
  const auto wanted = floats("a", {1, 2});
  for (auto& bad : {std::string{}, std::string(9, 'x'), std::string(8, 'x')}) {
    CAPTURE(bad);
    output_loader loader{{models::detached(wanted)}};
    auto taken = loader.take({runtime::bytes::copy_of(bad), 8});
    REQUIRE_FALSE(taken);
    CHECK(taken.error().code == error_code::corrupt);
  }
}

TEST_CASE("a loader of attached tensors has nothing to ask for") {
  output_loader loader{{floats("a", {1})}};
  CHECK_FALSE(loader.next());
}
